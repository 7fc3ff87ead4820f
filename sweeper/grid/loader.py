"""Hydra's loader, which composes each choice of options once a process.

To merge the files of a choice is most of the work of a composition, and the same whatever values are then set.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.conf import ConfigSourceInfo
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from sweeper.grid.copies import packed, unpacked
from sweeper.grid.project import conf_folders
from sweeper.grid.repository import Repository

_KEPT = 64  # choices, some 200 kB each
_composed: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()


class Loader(ConfigLoaderImpl):
    """Hydra's own, over files that are read again only once they have changed."""

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.repository = Repository(config_search_path)

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """The config of overrides, the caller's own to change; as Hydra's method of that name."""
        asked = OverridesParser.create().parse_overrides(overrides)
        values = [item for item in asked if self._is_value(item)]
        choice = tuple(str(item.input_line) for item in asked if not self._is_value(item))
        config = self._of_choice(config_name, choice, run_mode, from_shell, validate_sweep_overrides)
        if values:
            _set(config, values, asked)
        return config

    def _is_value(self, item: Override) -> bool:
        """Whether an override sets a value in what the files make, as Hydra tells them apart."""
        if item.is_sweep_override() or item.is_hydra_override():
            return False
        return isinstance(item.value(), dict) or not self.repository.group_exists(item.key_or_group)

    def _of_choice(self, config_name: str | None, choice: tuple[str, ...], *how: Any) -> DictConfig:
        """What the files make, without any value that is set beside them."""
        sources = self.repository.get_sources()
        kinds = tuple((source.scheme(), source.provider) for source in sources)
        key = (config_name, choice, how, kinds, tuple(_stamps()))
        if key in _composed:
            _composed.move_to_end(key)
            found: DictConfig = unpacked(_composed[key])
            found.hydra.runtime.cwd = str(Path.cwd())
            found.hydra.runtime.config_sources = [
                ConfigSourceInfo(path=source.path, schema=source.scheme(), provider=source.provider)
                for source in sources
            ]
            return found
        config: DictConfig = super().load_configuration(config_name, list(choice), *how)
        if not config.hydra.searchpath:  # whose files are not looked at here
            _composed[key] = packed(config)
            if len(_composed) > _KEPT:
                _composed.popitem(last=False)
        return config


def _stamps() -> Iterator[tuple[int, str, int, int]]:
    """Of each configuration file its folder's place, its name there, its time and its size.

    Not where the folder lies: a project that was copied composes as it did.
    """
    for place, folder in enumerate(map(str, conf_folders())):
        for where, _, names in os.walk(folder):
            for name in names:
                path = f"{where}/{name}"
                about = os.stat(path)  # noqa: PTH116 - a Path each would double what a composition takes
                yield place, path.removeprefix(folder), about.st_mtime_ns, about.st_size


def _set(config: DictConfig, values: list[Override], asked: list[Override]) -> None:
    """Set values in a composed config, and note there what was asked for in all."""
    try:
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
    except OmegaConfBaseException as error:
        raise ConfigCompositionException().with_traceback(error.__traceback__) from error
    config.hydra.overrides.task = [item.input_line for item in asked]
    about = config.hydra.job.config.override_dirname
    config.hydra.job.override_dirname = get_overrides_dirname(
        overrides=asked, kv_sep=about.kv_sep, item_sep=about.item_sep, exclude_keys=about.exclude_keys
    )
