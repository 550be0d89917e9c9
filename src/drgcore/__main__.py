"""`python -m drgcore` is the `drgcore` command."""

from drgcore.cli.app import main

if __name__ == "__main__":
    main()
