"""What a call tells, by what is called: a value, a function, a method, a library."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from c2c_tasks.inputs.synthesis.builtin_calls import call_builtin, call_builtin_on
from c2c_tasks.inputs.synthesis.library_calls import call_library
from c2c_tasks.inputs.synthesis.method_calls import call_method
from c2c_tasks.inputs.synthesis.relations import bind, of_constant, subscript
from c2c_tasks.inputs.synthesis.sites import CallSite
from c2c_tasks.inputs.synthesis.uses import Use

if TYPE_CHECKING:
    from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions


def call(walk: Expressions, node: ast.Call, env: Environment) -> Use:
    """Walk a call; return the use of what it gives."""
    match node.func:
        case ast.Name(id=name) if name in env:
            return _call_value(walk, env[name].root(), walk.arguments(node, env))
        case ast.Name(id=name):
            result = walk.call_function(name, node, env)
            return result if result is not None else call_builtin(walk, name, node, env)
        case (
            ast.Attribute(value=ast.Name(id=top) as module, attr=name)
            | ast.Attribute(value=ast.Attribute(value=ast.Name(id=top)) as module, attr=name)
        ) if top not in env:
            site = CallSite(walk, node, env, name, walk.arguments(node, env))
            return call_library(site, module.id if isinstance(module, ast.Name) else module.attr)
        case ast.Attribute(value=value, attr=name):
            owner = walk.expression(value, env)
            return call_method(CallSite(walk, node, env, name, walk.arguments(node, env)), owner)
    walk.expression(node.func, env)
    walk.arguments(node, env)
    return Use()


def apply(walk: Expressions, function: ast.expr, arguments: list[Use], env: Environment) -> Use:
    """Return the use of what a function gives that is handed on: to ``map``, as a ``key``."""
    node = ast.Call(function, [], [])
    match function:
        case ast.Lambda():
            return walk.apply_lambda(function, arguments, env)
        case ast.Name(id=name) if name in env:
            return _call_value(walk, env[name].root(), arguments)
        case ast.Name(id=name):
            result = walk.apply_function(name, arguments)
            if result is not None:
                return result
            return call_builtin_on(CallSite(walk, node, env, name, arguments))
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module not in env:
            return call_library(CallSite(walk, node, env, name, arguments), module)
        case ast.Call(
            func=ast.Name(id="itemgetter") | ast.Attribute(attr="itemgetter"),
            args=[ast.Constant(value=key)],
        ) if arguments:
            return subscript(arguments[0], of_constant(key))
    walk.expression(function, env)
    return Use()


def _call_value(walk: Expressions, use: Use, arguments: list[Use]) -> Use:
    if use.returned is not None:  # a nested function: its fields are its parameters
        for position, argument in enumerate(arguments):
            if position in use.fields:
                bind(use.fields[position], argument)
        return use.returned.root()
    if not walk.guards:
        use.flag("called")
    return Use()
