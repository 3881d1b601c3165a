"""Names for configs: as a spec, as what changed, as a folder name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keras_recipe.core.config import digest


def value(leaf: Any) -> str:
    """A leaf for a person: `none` for nothing, numbers without noise."""
    if leaf is None or leaf == "":
        return "none"
    if isinstance(leaf, bool):
        return "yes" if leaf else "no"
    if isinstance(leaf, float):
        return f"{leaf:g}"
    if isinstance(leaf, list | tuple):
        return ", ".join(map(value, leaf)) or "none"
    return str(leaf)


def part(config: Mapping[str, Any], name: str) -> str:
    """The spec of a part ("model", "optimizer") put together again from the leaves."""
    args = [f"{key.partition('.')[2]}={v!r}" for key, v in config.items() if key.startswith(f"{name}.")]
    head = str(config.get(name, "?"))
    return f"{head}({', '.join(args)})" if args else head


def leaf_name(name: str) -> str:
    """`model.drop_path` -> `drop path`; the optimizer's arguments and the fields keep their own words."""
    return name.rpartition(".")[2].replace("_", " ")


def title(name: str) -> str:
    """`loss_at_init` -> `Loss at init`."""
    said = words(name)
    return said[:1].upper() + said[1:]


def words(name: str) -> str:
    """A name as words; a spec in it stays as it is written."""
    return name if "(" in name else name.replace("_", " ").strip()


def change(leaves: Mapping[str, Any]) -> str:
    """`dropout 0 → 0.2` for the change of a decision, `{leaf: [before, after]}`."""
    return ", ".join(f"{leaf_name(k)} {value(v[0])} → {value(v[1])}" for k, v in leaves.items())


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Leaves that differ, with both values. Another builder counts once, whatever its arguments."""
    names = [k for k in dict.fromkeys([*before, *after]) if before.get(k) != after.get(k)]
    swapped = [k for k in ("model", "optimizer") if k in names]
    kept = [k for k in names if not any(k.startswith(f"{p}.") for p in swapped)]
    return {k: [before.get(k), after.get(k)] for k in kept}


def relative(config: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """How a config is named in a table of trials: its model where that is news, and what else differs."""
    changed = differences(reference, config)
    other = ", ".join(f"{leaf_name(k)} {value(v[1])}" for k, v in changed.items() if not k.startswith("model"))
    if other and not any(k.startswith("model") for k in changed):
        return other
    return ", ".join(filter(None, [part(config, "model"), other]))


def folder(config: Mapping[str, Any], incumbent: Mapping[str, Any] | None) -> str:
    """Short folder name: what the config changes of the incumbent, or else its model."""
    changed = differences(incumbent, config) if incumbent else {}
    if 0 < len(changed) <= 2 and "model" not in changed:
        return _slug("-".join(f"{leaf_name(k)}-{value(v[1])}" for k, v in changed.items()))
    return _slug(part(config, "model"))


def key6(key: str) -> str:
    """Six hexadecimal digits that tell two records with the same label apart."""
    return digest(key)[:6]


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-.")[:40].rstrip("-.") or "config"
