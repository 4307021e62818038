"""Methods on the command line: ``--method``, ``--settings`` and ``--METHOD.SETTING``, made from a wing's list.

:func:`method_options` turns a command that takes a :class:`ChosenMethod` into one that has these options. They are read
from the list each time, so that a method is on the command line as soon as it is in the list.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_type_hints

import docstring_parser
from cyclopts import App, Group, Parameter
from cyclopts.argument import ArgumentCollection

from cistron.cli.options import PRESET
from cistron.cli.running import NOT_GIVEN
from cistron.errors import InputError
from cistron.methods import Method, MethodList, SettingError, setting_types
from cistron.runtime import say, show

_TYPED = "cli"  # the source that cyclopts gives to what stands on the command line
_given: ContextVar[dict[str, str] | None] = ContextVar("given", default=None)
_options_of_fields: ContextVar[dict[str, str]] = ContextVar("options_of_fields", default={})  # noqa: B039
_tokens: ContextVar[Sequence[str]] = ContextVar("tokens", default=())


def note_tokens(tokens: Sequence[str]) -> None:
    """Keep the command line; help shows the options of the method that it names."""
    _tokens.set(tuple(tokens))
    _given.set({})
    _options_of_fields.set({})


def note_given(app: App, commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Keep which options were given and where: on the command line, or in a file. A configuration hook of cyclopts.

    Parameters
    ----------
    app
        Command line that reads the arguments; not used.
    commands
        Words of the command; not used.
    arguments
        Options of the command with the words that were given for them.
    """
    given = [argument for argument in arguments if argument.tokens]
    _given.set({argument.name: argument.tokens[0].source for argument in given})
    # of settings whose option has another name than the field
    _options_of_fields.set(
        {".".join(one.keys): one.tokens[0].keyword or one.name for one in given if one.keys}
    )


def option_name(name: str) -> str:
    """The option of a setting: ``vdtf.kl_weight`` is ``--vdtf.kl-weight``."""
    return "--" + name.replace("_", "-")


def option_of_setting(setting: str) -> str:
    """Option that the user gave for a setting, for messages; ``--SETTING`` if that is not clear."""
    plain = option_name(setting)
    given = _given.get() or {}
    if setting in _options_of_fields.get():
        return _options_of_fields.get()[setting]
    ends = [option for option in given if option == plain or option.endswith("." + plain.removeprefix("--"))]
    return ends[0] if len(ends) == 1 else plain


def _source(option: str) -> str:
    return (_given.get() or {}).get(option, _TYPED)


@dataclass(frozen=True)
class ChosenMethod:
    """The method that a command was told to use, and which of its settings were given.

    Attributes
    ----------
    methods
        The list it is from.
    method
        Its record.
    preset
        Name of the preset.
    given
        Settings by dotted name, with the option that gave each.
    """

    methods: MethodList
    method: Method
    preset: str
    given: Mapping[str, tuple[str, Any]]

    def given_settings(self, **shared: Any) -> dict[str, Any]:
        """Settings that were given, by dotted name.

        Parameters
        ----------
        **shared
            Values of options that several methods share (``dimensions``); ``None`` was not given.

        Raises
        ------
        InputError
            If the method has no such setting, or it was given twice.
        """
        return {name: value for name, (_, value) in self._given_options(shared).items()}

    def settings(self, *, several: bool = False, **shared: Any) -> Any:
        """Settings in force: the preset, then what was given.

        Parameters
        ----------
        several
            Whether several matrices are given.
        **shared
            Values of options that several methods share (``dimensions``); ``None`` was not given.

        Raises
        ------
        InputError
            If there is no such preset or setting, or a value does not fit; the message names the option.
        """
        given = self._given_options(shared)
        try:
            return self.method.settings_of(
                self.preset, {name: value for name, (_, value) in given.items()}, several
            )
        except SettingError as error:
            if error.setting not in given:
                raise
            # the option as it was typed: --dimensions where that set gene_dimension
            raise SettingError(
                given[error.setting][0].removeprefix("--").replace("-", "_"), error.problem
            ) from error

    def estimator_arguments(self, *, several: bool = False, **shared: Any) -> dict[str, Any]:
        """Settings, method and preset as estimators take them, after :meth:`settings` has found nothing wrong.

        Parameters
        ----------
        several
            Whether several matrices are given.
        **shared
            Values of options that several methods share; ``None`` was not given.
        """
        self.settings(several=several, **shared)
        return {
            "settings": self.given_settings(**shared),
            "method": self.method.name,
            "preset": self.preset,
        }

    def _given_options(self, shared: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        found = dict(self.given)
        for name, value in shared.items():
            if value is None:
                continue
            option, setting = option_name(name), self.method.setting_of_option(name)
            if setting is None:
                owners = [one.name for one in self.methods.values() if one.setting_of_option(name)]
                raise InputError(
                    f"{option} is of method {' and '.join(owners)}. Given: {option} {value} with --method "
                    f"{self.method.name}"
                )
            if setting in found and not _second_wins(found[setting][0], option):
                continue
            found[setting] = (option, value)
        return found


def _second_wins(first: str, second: str) -> bool:
    """Decide between two options for one setting: a typed one wins over one from a file; two typed ones are an error."""
    typed = [_source(option) == _TYPED for option in (first, second)]
    if typed[0] == typed[1]:
        raise InputError(f"{first} and {second} are the same setting; give one of them")
    return typed[1]


def _help_of(settings: type) -> dict[str, str]:
    """What the docstring of a settings class says of each field; a class without takes that of its parent."""
    told: dict[str, str] = {}
    for one in reversed(settings.__mro__):
        for entry in docstring_parser.parse(
            one.__doc__ or "", docstring_parser.DocstringStyle.NUMPYDOC
        ).params:
            told |= {name.strip(): entry.description or "" for name in entry.arg_name.split(",")}
    return told


def _leaves(settings: Any, path: str = "") -> Iterator[tuple[str, Any, Any, str]]:
    """Dotted name, annotation, default and help of every setting, those of nested settings included."""
    told = _help_of(type(settings))
    for name, hint in setting_types(type(settings)).items():
        value = getattr(settings, name)
        if dataclasses.is_dataclass(value):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", hint, value, told.get(name, "")


def _shown(value: Any) -> Callable[[Any], str] | bool:
    """Text of a default in the help; in the signature a placeholder stands for it."""
    if value in (None, ()):
        return False
    text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return lambda _: text


@dataclass(frozen=True)
class _Option:
    """One setting as a parameter of a command."""

    prefix: str
    setting: str
    option: str
    parameter: inspect.Parameter


def _options(prefix: str, method: Method, group: Group | None, show: bool) -> Iterator[_Option]:
    for setting, hint, value, told in _leaves(method.settings_of()):
        option = option_name(f"{prefix}.{setting}" if prefix else setting)
        parameter = Parameter(name=option, help=told, show=show, show_default=_shown(value))
        if group is not None:
            parameter = Parameter.combine(parameter, Parameter(group=group))
        name = f"{prefix}__{setting}".replace("-", "_").replace(".", "__").lstrip("_")
        yield _Option(
            prefix,
            setting,
            option,
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=NOT_GIVEN, annotation=Annotated[hint, parameter]
            ),
        )


class MethodCommand:
    """A command with ``--method``, ``--settings`` and the settings of every method; see :func:`method_options`.

    Parameters
    ----------
    function
        Command; its parameter ``chosen`` gets the method and its settings.
    methods
        Methods of the wing.
    default
        Name of the method when none is given.
    only
        Which methods the command offers; all when ``None``.
    plain
        Whether settings are options without a prefix (``--fold``), for a job that has one method; see :func:`preset_options`.
    """

    def __init__(
        self,
        function: Callable[..., None],
        methods: MethodList,
        default: str,
        only: Callable[[Method], bool] | None,
        plain: bool,
    ) -> None:
        self._function, self._methods, self.default = function, methods, default
        self._only, self._plain = only, plain
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        self.__doc__, self.__module__ = function.__doc__, function.__module__
        hints = get_type_hints(function, include_extras=True)
        self._place = next(name for name, hint in hints.items() if hint is ChosenMethod)
        self._own = [
            one.replace(annotation=hints.get(one.name, one.annotation))
            for one in inspect.signature(function).parameters.values()
        ]

    def _listed(self) -> list[Method]:
        return [one for one in self._methods.values() if self._only is None or self._only(one)]

    def _setting_options(self) -> list[_Option]:
        if self._plain:
            return list(_options("", self._methods[self.default], None, True))
        shown = _value_after("--method", _tokens.get())
        found: list[_Option] = []
        for method in self._listed():
            prefixes = (method.name, *method.prefixes)
            group = Group(f"Settings of {method.name}", sort_key=5)
            owned = {option.prefix for option in found}
            for prefix in prefixes:
                if prefix not in owned:
                    found += _options(prefix, method, group, show=shown in (method.name, *method.aliases))
        return found

    @property
    def __signature__(self) -> inspect.Signature:
        keyword = inspect.Parameter.KEYWORD_ONLY
        choices: list[inspect.Parameter] = []
        listed = self._listed()
        if not self._plain:
            names = tuple(name for one in listed for name in (one.name, *one.aliases))
            told = "; ".join(f"{one.name}: {one.summary}" for one in listed)
            own = f"{told}. Each has settings of its own: --method NAME --help shows them."
            choices.append(
                inspect.Parameter(
                    "method",
                    keyword,
                    default=self.default,
                    annotation=Annotated[Literal[names], Parameter(help=own)],
                )
            )
        presets: dict[str, list[str]] = {}
        for one in listed:
            for preset in one.preset_names:
                presets.setdefault(preset, []).append(one.name)
        some = [
            preset if self._plain else f"{preset} ({', '.join(having)})"
            for preset, having in presets.items()
            if preset != "default" and not preset.endswith("-several")
        ]
        told = "Named settings, which single settings win over: " + ", ".join(["default", *some]) + "."
        choices.append(
            inspect.Parameter(
                "settings",
                keyword,
                default="default",
                annotation=Annotated[str, Parameter.combine(PRESET, Parameter(help=told))],
            )
        )
        parameters: list[inspect.Parameter] = []
        for parameter in self._own:
            parameters += choices if parameter.name == self._place else [parameter]
        parameters += [option.parameter for option in self._setting_options()]
        return inspect.Signature(parameters)

    @property
    def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]  # cyclopts reads them beside the signature
        return {name: one.annotation for name, one in self.__signature__.parameters.items()}

    def __call__(self, *arguments: Any, **named: Any) -> None:
        method = self._methods.find(named.pop("method", self.default))
        preset = named.pop("settings", "default")
        prefixes = ("",) if self._plain else (method.name, *method.prefixes)
        given: dict[str, tuple[str, Any]] = {}
        for one in self._setting_options():
            value = named.pop(one.parameter.name, NOT_GIVEN)
            if value is NOT_GIVEN:
                continue
            if one.prefix not in prefixes:
                self._refuse(one, method)
            elif one.setting not in given or _second_wins(given[one.setting][0], one.option):
                given[one.setting] = (one.option, value)
        named[self._place] = ChosenMethod(self._methods, method, preset, given)
        self._function(*arguments, **named)

    def _refuse(self, option: _Option, method: Method) -> None:
        """A setting of another method: an error where it was typed; a file may hold those of several methods."""
        owners = [one.name for one in self._listed() if option.prefix in (one.name, *one.prefixes)]
        fault = f"{option.option} is a setting of method {' and '.join(owners)}, not of {method.name}"
        if _source(option.option) == _TYPED:
            raise InputError(f"{fault}; give --method {owners[0]}, or leave it out")
        say(f"{fault}; the configuration file's value is not used")


def method_options(
    methods: MethodList, default: str, only: Callable[[Method], bool] | None = None
) -> Callable[[Callable[..., None]], MethodCommand]:
    """Give a command the options of a list of methods, in place of its parameter of type :class:`ChosenMethod`.

    Parameters
    ----------
    methods
        The list.
    default
        Name of the method when none is given.
    only
        Which methods of the list the command can use; all when absent.
    """
    return lambda function: MethodCommand(function, methods, default, only, plain=False)


def preset_options(method: Method) -> Callable[[Callable[..., None]], MethodCommand]:
    """Give a command that has one method the settings of it as plain options, and ``--settings``."""
    return lambda function: MethodCommand(
        function, MethodList(method.name, method), method.name, None, plain=True
    )


class ShownWith:
    """Whether help shows settings: where the command line names what they belong to. Given as ``Parameter(show=...)``.

    Parameters
    ----------
    value
        Name that shows them.
    *options
        Options that it may stand behind.
    """

    def __init__(self, value: str, *options: str) -> None:
        self._value, self._options = value, options

    def __bool__(self) -> bool:
        return any(_value_after(option, _tokens.get()) == self._value for option in self._options)

    def __xor__(self, other: bool) -> bool:
        return bool(self) ^ other


def _value_after(option: str, tokens: Sequence[str]) -> str:
    for number, token in enumerate(tokens):
        if token == option and number + 1 < len(tokens):
            return tokens[number + 1]
        if token.startswith(option + "="):
            return token.partition("=")[2]
    return ""


def add_methods_command(app: App, methods: MethodList) -> None:
    """Add the command ``methods``, which prints the list."""

    def _print() -> None:
        for one in methods.values():
            show(f"{one.name}\n  {one.summary}\n  output: {one.meaning}\n  from: {one.reference}")
            show(f"  settings: {', '.join(one.preset_names)}")

    app.command(
        _print,
        name="methods",
        help="List the methods: what they are, what their output means, their presets.",
    )
