"""The problems of an input, gathered so that a user sees all of them at once."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ValidationError

from assessment.domain.field_problems import list_problems
from runner.errors import BadInputError, Problem


class Problems(list[Problem]):
    """The problems of the parts of one input, in the order in which the parts were read."""

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Take the problems of a BadInputError instead of passing the error on."""
        try:
            yield
        except BadInputError as error:
            self.extend(error.problems)

    def raise_any(self, *, most: int | None = None) -> None:
        """Raise the first `most` problems together, if there are any.

        Raises
        ------
        BadInputError
        """
        if self:
            raise BadInputError(*self[:most])


def read_all[T, V](sources: Iterable[T], read: Callable[[T], V]) -> tuple[list[V], Problems]:
    """What could be read, and the problems of all sources that could not."""
    values: list[V] = []
    problems = Problems()
    for source in sources:
        with problems.collect():
            values.append(read(source))
    return values, problems


def validate[M: BaseModel](
    model: type[M], values: dict[str, str], make_problem: Callable[[str, str], Problem]
) -> M:
    """The values as a model; `make_problem` gives a field and a message their place in a file.

    Raises
    ------
    BadInputError
        With all of the model's objections; none quotes a value.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = list_problems(error)
    raise BadInputError(*(make_problem(field, message) for field, message in problems))
