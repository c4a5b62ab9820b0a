from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from c2c_tasks.evaluation.evaluation_plots import CATEGORY_COLOURS, draw_plots
from c2c_tasks.evaluation.summarising import CATEGORIES
from tests.evaluation.evaluations import judged, make_problem, make_result

PROBLEMS = [make_problem(number) for number in range(8)]


def test_equal_results_have_equal_plots_and_others_have_others(tmp_path: Path) -> None:
    right = judged(PROBLEMS, lambda *_: ("passed_all", False), 1)
    some = judged(PROBLEMS, lambda n, _: ("passed_all" if n % 3 else "timed_out", False), 1)
    folders = [tmp_path / name for name in ("one", "same", "other")]
    for folder, grades in zip(folders, (right, right, some), strict=True):
        names = draw_plots(folder, make_result(PROBLEMS, grades))
        assert names == [f"plots/{path.name}" for path in sorted((folder / "plots").iterdir())]
    one, same, other = ((folder / "plots/categories.png") for folder in folders)
    assert one.read_bytes() == same.read_bytes()
    with Image.open(one) as left, Image.open(other) as changed:
        assert ImageChops.difference(left.convert("RGB"), changed.convert("RGB")).getbbox()


def test_what_was_not_answered_has_no_plot(tmp_path: Path) -> None:
    assert draw_plots(tmp_path, make_result(PROBLEMS, [])) == []


def test_every_category_has_a_colour_of_its_own() -> None:
    assert tuple(CATEGORY_COLOURS) == CATEGORIES
    assert len(set(CATEGORY_COLOURS.values())) == len(CATEGORIES)
