from c2c_tasks.records import Function


def inputs_grammar(function: Function, inputs: int) -> str | None:
    names = [p.name for p in function.parameters]
    args = ' ", " '.join(f'"{n}=" value' for n in names)
    return f"""root ::= "[" item (", " item){{0,{inputs - 1}}} "]"
item ::= "dict(" {args} ")"
value ::= [0-9]{{1,4}} | "[" [0-9] (", " [0-9]){{0,4}} "]"
"""
