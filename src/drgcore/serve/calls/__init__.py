"""What the pages, the API and the tools for assistants call: plain data in, plain data out."""
