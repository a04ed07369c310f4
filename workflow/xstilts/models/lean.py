"""The classes of an architecture, without the nine tenths of transformers that they do not need.

Importing torch takes 1.1 s of CPU, and `AutoModel` with what it imports 2.1 s more: the names of
all models are read from their files, three times over, and torch's compiler, its distributed
tensors, SciPy and an HTTP client are imported to be there. A grid is a thousand processes. So, in a
step (`allow`), the modules in `LATER` and `COMPILER` are stand-ins while the classes are imported:
what is in them is imported when it is used. And transformers is told that what is in `ABSENT` is
not installed, which it provides for. The compiler's stand-ins stay, since an optimizer asks for it
in each step, until something is compiled. Whatever goes wrong is left to the ordinary import.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import version
from types import ModuleType
from typing import Any

from xstilts.running import ranks

# Packages whose `__init__` reads the files of all models; only the place of the files is needed.
PACKAGES = ("transformers", "transformers.models")
COMPILER = ("torch._dynamo", "torch._dynamo._trace_wrapped_higher_order_op")
LATER = (
    "transformers.dynamic_module_utils",
    "transformers.generation.continuous_batching",
    "transformers.generation.continuous_batching.cache",
    "transformers.processing_utils",
    "transformers.safetensors_conversion",
    "transformers.utils.chat_template_utils",
    "transformers.utils.hub",
)
ABSENT = ("torch_distributed", "scipy", "torch_flex_attn", "vision", "jinja")
_allowed = False
_before = set[str]()  # the modules that there were


def allow(able: bool = True) -> None:
    """Say that this process loads encoders, and does nothing else with transformers; or that it
    does more."""
    global _allowed
    _allowed = able


def classes(model_type: str) -> tuple[Any, Any]:
    """Return the classes of config and encoder; ImportError, KeyError, ... where it has not one of
    each."""
    import torch

    # Sharding over several ranks needs the distributed tensors. On a GPU nobody has seen this, and
    # two seconds are less of a job there.
    able = _allowed and ranks.size() == 1 and not torch.cuda.is_available()
    if able and not {"transformers", *COMPILER} & sys.modules.keys():
        _before.update(sys.modules)
        with _stand_ins():
            return _import(model_type)
    return _import(model_type)


def undo() -> None:
    """Take back what was imported with stand-ins, for an ordinary import."""
    for name in list(sys.modules.keys() - _before) if _before else ():
        if name.partition(".")[0] == "transformers" or name in COMPILER:
            del sys.modules[name]
    _before.clear()


def _import(model_type: str) -> tuple[Any, Any]:
    auto = "transformers.models.auto"
    module = importlib.import_module(f"{auto}.configuration_auto").model_type_to_module_name
    place = f"transformers.models.{module(model_type)}"
    config = importlib.import_module(f"{auto}.auto_mappings").CONFIG_MAPPING_NAMES[model_type]
    model = importlib.import_module(f"{auto}.modeling_auto").MODEL_MAPPING_NAMES[model_type]
    name = place.rpartition(".")[2]
    return (
        getattr(importlib.import_module(f"{place}.configuration_{name}"), config),
        getattr(importlib.import_module(f"{place}.modeling_{name}"), model),
    )


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    root = importlib.util.find_spec("transformers")
    assert root
    for name in PACKAGES:
        package = ModuleType(name)
        inside = name.partition(".")[2]
        folders = [f"{folder}/{inside}" for folder in root.submodule_search_locations or ()]
        package.__dict__.update(__path__=folders, __version__=version("transformers"))
        package.__spec__ = ModuleSpec(name, None, is_package=True)
        sys.modules[name] = package
    for name in (*COMPILER, *LATER):
        sys.modules[name] = StandIn(name)
    sys.meta_path.insert(0, Compiler())
    try:
        for name in ("transformers.utils.import_utils", "transformers.utils"):
            for library in ABSENT:
                setattr(importlib.import_module(name), f"is_{library}_available", _no)
        yield
    finally:
        for name in (*PACKAGES, *LATER):
            sys.modules.pop(name, None)


class Later:
    """What is in a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self.__dict__.update(_module=module, _name=name)

    def _used(self) -> Any:
        if self._module in COMPILER:
            _import_compiler()
        return getattr(importlib.import_module(self._module), self._name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._used()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._used(), name)

    def __instancecheck__(self, instance: Any) -> bool:
        return self._module in sys.modules and isinstance(instance, self._used())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return ()  # as a base class it is left out

    def __or__(self, other: Any) -> Any:  # in annotations
        return Any

    __ror__ = __or__


class PushToHubMixin:
    """In place of that of transformers, a base class of its models and configs."""

    def push_to_hub(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class StandIn(ModuleType):
    """A module that is imported when something in it is used."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        if name == "transformers.processing_utils":
            from typing_extensions import Unpack

            self.Unpack = Unpack
        elif name == "transformers.utils.hub":
            self.PushToHubMixin = PushToHubMixin
        elif name == "torch._dynamo":  # its marks on functions are for what is compiled
            self.disable = self.allow_in_graph = self.assume_constant_result = _mark
            self.graph_break = lambda *args, **kwargs: None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__ != "torch._dynamo":
            return Later(self.__name__, name)
        return getattr(_import_compiler(), name)  # something is compiled


def _import_compiler() -> ModuleType:
    for name in COMPILER:
        if isinstance(sys.modules.get(name), StandIn):
            del sys.modules[name]
    return importlib.import_module(COMPILER[0])


class Compiler(Loader):
    """Finds the modules inside the compiler, which has a stand-in without any."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        inside = name.startswith(f"{COMPILER[0]}.")
        if not inside or not isinstance(sys.modules.get(COMPILER[0]), StandIn):
            return None
        sys.meta_path.remove(self)
        compiler = _import_compiler()
        if name in sys.modules:
            return ModuleSpec(name, self)
        return PathFinder.find_spec(name, compiler.__path__)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, which the compiler has imported by itself."""
        module = sys.modules[spec.name]
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been; take back what the import has said of it."""
        module.__spec__ = self.spec


def _mark(function: Any = None, *args: Any, **kwargs: Any) -> Any:
    return function or _mark


def _no(*args: Any, **kwargs: Any) -> bool:
    return False
