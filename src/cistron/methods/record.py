"""The record of a method, the list of a wing, and the rule for presets: what was given by name wins."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar

from cistron.errors import InputError
from cistron.methods.ranges import SettingError

_Settings = TypeVar("_Settings")


def setting_names(settings: Any) -> list[str]:
    """Dotted names of all settings of an object, those of nested settings included."""
    names: list[str] = []
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if dataclasses.is_dataclass(value):
            names += [f"{one.name}.{inner}" for inner in setting_names(value)]
        else:
            names.append(one.name)
    return names


def with_given(settings: _Settings, given: Mapping[str, Any]) -> _Settings:
    """Replace settings by the values that were given, even if a given value equals the default of the class.

    Parameters
    ----------
    settings
        Settings, for example those of a preset.
    given
        Values by dotted name, for example ``{"fit.epochs": 3}``; no other setting changes.

    Raises
    ------
    InputError
        If there is no such setting (the nearest name is told), or a value does not fit.
    """
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    names = setting_names(settings)
    for name, value in given.items():
        first, _, rest = name.partition(".")
        whole = dataclasses.is_dataclass(value) and hasattr(settings, name)  # FitSettings for "fit"
        if name not in names and not whole:
            raise unknown_setting(name, settings)
        if rest:
            inner.setdefault(first, {})[rest] = value
        else:
            own[first] = value
    for first, values in inner.items():
        try:
            own[first] = with_given(own.get(first, getattr(settings, first)), values)
        except SettingError as error:
            raise error.within(first) from error
    return dataclasses.replace(settings, **own)  # type: ignore[type-var]


def unknown_setting(name: str, settings: Any) -> InputError:
    """The error for a setting that does not exist; it names the nearest one."""
    names = setting_names(settings)
    near = difflib.get_close_matches(name, names, 1)
    advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names) or 'no settings'}"
    return InputError(f"{type(settings).__name__} has no setting {name!r}; {advice}")


@dataclass(frozen=True)
class NoSettings:
    """A method without settings."""


@dataclass(frozen=True)
class Traits:
    """Properties of a method that its wing needs, for example whether it takes several matrices.

    Attributes
    ----------
    joint
        It takes several matrices at once (omics).
    trained
        It is fitted epoch by epoch and keeps its record and checkpoint in a folder beside the output.
    interventions
        It needs control and perturbed cells (networks).
    needs_types
        It compares cells with cell types (cells).
    unseen_genes
        It predicts genes never seen, from their features (cells).
    learns_genes
        What it learns of each gene can be written as a gene embedding (cells, networks).
    search
        ``"package.module:function"`` that gives its search space, for methods that can be tuned (omics).
    """

    joint: bool = False
    trained: bool = False
    interventions: bool = False
    needs_types: bool = False
    unseen_genes: bool = False
    learns_genes: bool = False
    search: str = ""


def _imported(reference: str | Callable[..., Any]) -> Callable[..., Any]:
    if callable(reference):
        return reference
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


@dataclass(frozen=True)
class Method:
    """Record of one method: name, settings, the function that runs it, and what its output means.

    Attributes
    ----------
    name
        Name on the command line and in Python.
    summary
        What it is, in a few words.
    settings
        Frozen data class of its settings; its defaults are the recommended ones.
    make
        The function that does the work, or ``"package.module:function"``, which is imported when it is called. Its
        arguments are those of the wing (said in the wing's ``methods.py``).
    meaning
        What its output means: a dimension, the weight of an edge, a prediction.
    reference
        Where it comes from.
    presets
        Settings by name, as functions without arguments. ``default`` is there without an entry. Of a joint method,
        ``NAME-several`` takes the place of ``NAME`` where there are several matrices.
    aliases
        Further names, for example one that it had before.
    options
        For options that several methods of a wing share (``--dimensions``), the dotted setting that each sets here,
        where that is not the setting of the same name.
    prefixes
        Further ``--PREFIX.SETTING`` under which its settings are known, besides its name.
    traits
        What the wing must know of it.
    """

    name: str
    summary: str
    settings: type
    make: str | Callable[..., Any]
    meaning: str
    reference: str
    presets: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    traits: Traits = Traits()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the function that does the work, with the arguments of the wing."""
        return _imported(self.make)(*arguments, **named)

    def search_space(self, *arguments: Any) -> Any:
        """The search space of its settings.

        Raises
        ------
        InputError
            If it has none.
        """
        if not self.traits.search:
            raise InputError(f"{self.name} has nothing to tune; its record names no search space")
        return _imported(self.traits.search)(*arguments)

    @property
    def preset_names(self) -> list[str]:
        """Names of its presets, ``default`` first."""
        return list(dict.fromkeys(["default", *self.presets]))

    def settings_of(
        self, preset: str = "default", given: Mapping[str, Any] | None = None, several: bool = False
    ) -> Any:
        """Settings of a preset, with what was given put in their place.

        Parameters
        ----------
        preset
            Name of the preset.
        given
            Values by dotted name; they win over the preset, even where they equal the class default.
        several
            Whether several matrices are given, for methods that have a preset of their own for that.

        Raises
        ------
        InputError
            If there is no such preset or setting, or a value does not fit.
        """
        several_name = f"{preset}-several"
        name = several_name if several and several_name in self.presets else preset
        if name != "default" and name not in self.presets:
            raise InputError(
                f"method {self.name} has no settings {preset!r}; it has {', '.join(self.preset_names)}"
            )
        return with_given(self.presets.get(name, self.settings)(), given or {})

    def setting_of_option(self, option: str) -> str | None:
        """The setting that an option shared by several methods sets here; ``None`` where it has none."""
        setting = self.options.get(option, option)
        return setting if setting in setting_names(self.settings_of()) else None


_Method = TypeVar("_Method", bound=Method)


class MethodList(dict[str, _Method]):
    """The methods of a wing, by name, in the order in which they are shown.

    Parameters
    ----------
    kind
        What the wing calls them, for messages: ``network`` gives "there is no network method ...".
    *methods
        The records.
    """

    def __init__(self, kind: str, *methods: _Method) -> None:
        super().__init__({method.name: method for method in methods})
        self.kind = kind

    def find(self, name: str) -> _Method:
        """Find a method by name or alias.

        Raises
        ------
        InputError
            If there is none of that name; the message lists them.
        """
        for method in self.values():
            if name == method.name or name in method.aliases:
                return method
        raise InputError(f"there is no {self.kind} method {name!r}; methods are {', '.join(self)}")

    def settings(
        self,
        name: str,
        preset: str = "default",
        given: Mapping[str, Any] | None = None,
        several: bool = False,
    ) -> Any:
        """Settings of a method: see :meth:`Method.settings_of`.

        Parameters
        ----------
        name
            Name of the method.
        preset
            Name of the preset.
        given
            Values by dotted name; they win over the preset.
        several
            Whether several matrices are given.
        """
        return self.find(name).settings_of(preset, given, several)

    def method_of(self, settings: Any) -> _Method:
        """The one method that takes settings of this class.

        Raises
        ------
        InputError
            If none does, or more than one.
        """
        found = [method for method in self.values() if isinstance(settings, method.settings)]
        if len(found) != 1:
            takers = ", ".join(method.name for method in found) or "none"
            raise InputError(
                f"{type(settings).__name__} does not tell the {self.kind} method (methods that take it: {takers}); "
                f"give method=, one of {', '.join(self)}"
            )
        return found[0]

    def resolve(self, name: str, settings: Any = None, preset: str = "default", several: bool = False) -> Any:
        """Settings that an estimator uses, from the method, settings and preset that it was given.

        Parameters
        ----------
        name
            Name of the method.
        settings
            A whole settings object, or some settings by dotted name, which win over the preset; ``None`` takes the
            preset as it is.
        preset
            Name of the preset.
        several
            Whether several matrices are given.

        Raises
        ------
        InputError
            If the settings are of another method, or a whole object and a preset are given.
        """
        method = self.find(name)
        if settings is None or isinstance(settings, Mapping):
            return method.settings_of(preset, settings, several)
        if not isinstance(settings, method.settings):
            raise InputError(
                f"method {name} takes {method.settings.__name__}. Given: {type(settings).__name__}"
            )
        if preset != "default":
            raise InputError(
                f"preset {preset!r} and whole settings exclude each other; give some settings by name, for example "
                'settings={"fit.epochs": 3}'
            )
        return settings
