"""scikit-learn's contract for estimators, without importing scikit-learn."""

import inspect
from typing import Any

from cistron.errors import InputError


class Estimator:
    """What scikit-learn asks of an estimator: parameters are those of the constructor, stored unchanged."""

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters of the constructor by name; ``deep`` is accepted and changes nothing, none is an estimator."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **parameters: Any) -> Any:
        """Change parameters of the constructor; what was fitted is kept until the next fit.

        Raises
        ------
        InputError
            If there is no such parameter.
        """
        known = self._parameter_names()
        for name in parameters:
            if name not in known:
                raise InputError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}"
                )
        state = {**self.get_params(), **parameters}
        type(self)(**state)  # raises on what does not fit, before anything is changed
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self.get_params().items() if value is not None]
        return f"{type(self).__name__}({', '.join(shown)})"
