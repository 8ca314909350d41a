"""A landscape as tables for a terminal."""

from collections.abc import Sequence

from extramaze.landscape.record import Survey
from extramaze.schema.landscape import WORDS, Figure
from extramaze.tables import layout

TITLE = "{word}: {kind} of {solvers} on {suite}, up to {mazes} mazes a cell"
NOTE = "our measures for the survey's four words (arXiv 2410.12927 gives no estimators); 95 % intervals over mazes"


def survey_text(survey: Survey) -> str:
    """Write a landscape: values at every point, then what follows from them."""
    summary = survey.summary
    title = TITLE.format(
        word=WORDS[summary.kind],
        kind=summary.kind,
        solvers=", ".join(origin.name for origin in summary.solvers),
        suite=summary.setting.suite.name,
        mazes=summary.setting.mazes,
    )
    values = [figure for figure in summary.figures if figure.measure.startswith("at ")]
    others = [figure for figure in summary.figures if not figure.measure.startswith("at ")]
    parts = [title, _points(values) if summary.kind != "plane" else "", _rest(others), _options(survey), NOTE]
    return "\n\n".join(part for part in parts if part)


def _points(values: Sequence[Figure]) -> str:
    """Write a row a point and a column a quantity."""
    if not values:
        return ""
    columns = list(dict.fromkeys(figure.of for figure in values))
    rows = list(dict.fromkeys((figure.path, figure.measure.removeprefix("at ")) for figure in values))
    found = {(figure.path, figure.measure.removeprefix("at "), figure.of): figure for figure in values}
    body = [[path, at, *(_number(found.get((path, at, column))) for column in columns)] for path, at in rows]
    return "\n".join(layout(["path", "at", *columns], body, markdown=False))


def _rest(figures: Sequence[Figure]) -> str:
    if not figures:
        return ""
    body = [[figure.path, figure.measure, figure.of, _number(figure), _interval(figure)] for figure in figures]
    return "\n".join(layout(["path", "measure", "of", "value", "95 % interval"], body, markdown=False))


def _options(survey: Survey) -> str:
    stated = ((name, value) for name, value in survey.summary.options.items() if value is not None)
    said = [f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}" for name, value in stated]
    return "; ".join(said)


def _number(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    is_share = figure.of.startswith(("accuracy", "settled")) and figure.measure not in ("radius", "monotony")
    is_share = is_share and not figure.measure.startswith(("radius", "joined"))
    return f"{figure.value:.1%}" if is_share else f"{figure.value:.4g}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    return " to ".join(_number(figure.model_copy(update={"value": end})) for end in (figure.low, figure.high))
