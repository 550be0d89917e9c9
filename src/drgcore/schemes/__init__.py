from drgcore.schemes.parser import parse_rule
