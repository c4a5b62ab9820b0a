"""Mutants that no input tells from their program, and why: read by a person, one by one.

They are of those that `benchmarks.mutants` draws with seed 0, whole and ``--quick``. What a program
prints is no outcome, nor is what it does to an argument that it does not return.
"""

from __future__ import annotations

_PRINTED = "only what is printed is another"
_UNDEFINED = "names before it are not defined, so that the program raises or returns first"

EQUIVALENT: dict[str, str] = {
    "is_prime, line 23: not prime -> prime": "d is a float by then, so that pow raises before it",
    "is_prime, line 13: x == 1 or x == n - 1 -> x == 1 and x == n - 1": (
        "d is a float by then, so that pow raises before it"
    ),
    "loadConfig, line 9: value.startswith(\"'\") or value.startswith('\"') -> "
    "value.startswith(\"'\") and value.startswith('\"')": _UNDEFINED,
    "loadConfig, line 5: not line.startswith('#') -> line.startswith('#')": _UNDEFINED,
    "add_number, line 7: 0 -> 1": "it changes a list that is not returned",
    "add_number, line 4: list_number[-(i + 1)] == last_number -> True": (
        "it changes a list that is not returned"
    ),
    "catAndMouse, line 7: catA < catB -> catA <= catB": "that they are equal was asked before",
    "solution, line 11: len(A) / 2 -> len(A) // 2": (
        "a count is a whole number: more than n / 2 is more than n // 2"
    ),
    "Arcs_init, line 2: 0 -> 1": "numVars is not read",
    "Arcs_init, line 6: 1 -> 0": "numVars is not read",
    "sequentialSearch, line 10: found == False -> found != False": _PRINTED,
    "snail, line 11: start_row <= end_row and start_column <= end_column -> "
    "start_row <= end_row or start_column <= end_column": (
        "start_row is start_column there, and end_row is end_column"
    ),
    "remove_letter, line 5: without_letter += c -> pass": "no c of word is not in word",
    "remove_letter, line 5: without_letter += c -> without_letter -= c": (
        "no c of word is not in word"
    ),
    "fixMenu, line 4: 'hltMergedTracks' -> ''": "no value of a literal has such an attribute",
    "solution, line 4: print(s.count('a')) -> pass": _PRINTED,
    "Buzz, line 3: 'Buzz' -> ''": _PRINTED,
    "reverse_array_in_place, line 2: len(arr) / 2 -> len(arr) // 2": "int() cuts the half off",
    "spl, line 11: '3' -> ''": _PRINTED,
    "separador, line 2: return print(f'\\n' * value) -> pass": (
        "print returns None; where the text cannot be made, the program raises"
    ),
    "print_sep, line 59: ' ' -> 'X '": _PRINTED,
    "st_jeor, line 10: m = float(m) -> pass": (
        "it is multiplied by a float; of a text it would be seen, and no case has one"
    ),
    "makeAnagram, line 15: 0 -> -1": "a difference of 0 adds 0",
    "fun, line 11: a[k] < largest and a[k] != largest -> a[k] < largest or a[k] != largest": (
        "none is greater than the largest, so that both mean the same"
    ),
    "rowSumOddNumbers, line 5: range(x) -> range(x + 1)": _PRINTED,
    "rowSumOddNumbers, line 9: ' ' -> 'X '": _PRINTED,
    "even_or_odd, line 3: 'Even' -> 'XEven'": _PRINTED,
    "longestRun, line 9: j + 1 -> j - 1": "only the lengths of the runs are read",
    "reverseArray, line 5: 'Array reversed' -> ''": _UNDEFINED,
    "reverseArray, line 7: arr != arr.empty -> arr == arr.empty": _UNDEFINED,
    "find_peak, line 17: li[m] >= li[m + 1] and li[m] >= li[m - 1] -> "
    "li[m] >= li[m + 1] or li[m] >= li[m - 1]": "that neither is greater was asked before",
    "f, line 7: 'in f(x): x =' -> ''": _PRINTED,
}
"""The reason, by what `benchmarks.mutants` calls the mutant."""
