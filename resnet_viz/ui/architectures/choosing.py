"""Controls: which net is looked at, and beside which other one."""

from __future__ import annotations

from resnet_viz.architectures import HISTORY, IMAGENET, NAMED, Architecture, cifar
from resnet_viz.i18n import _
from resnet_viz.specs import FAMILIES, SpecError, net_beside
from resnet_viz.ui.architectures.cifar_form import cifar_controls
from resnet_viz.ui.linked_choice import linked_choice

_SAME = "same:"
_NONE, _OWN = "none", "cifar"
_SECOND = "other_"  # begins the keys of the second net's controls


def choose_net() -> Architecture:
    """The net that the controls describe.

    Raises:
        SpecError: there is none like that; the message says what to change.
    """
    kinds = {"imagenet": _("for ImageNet"), "cifar": _("for CIFAR"), "history": _("history")}
    kind = linked_choice(_("Nets"), kinds, key="nets", as_list=True)
    if kind == "cifar":
        return cifar(cifar_controls())
    nets = IMAGENET if kind == "imagenet" else HISTORY
    titles = {net.name: _title(net) for net in nets}
    if kind == "imagenet":
        name = linked_choice(_("Net"), titles, key="net", default="resnet50", as_list=True)
    else:
        name = linked_choice(_("Net"), titles, key="old_net", default="lenet5", as_list=True)
    return NAMED[name]


def _title(net: Architecture) -> str:
    return f"{net.title} ({net.year})" if net.family == "history" else net.title


def choose_other(net: Architecture) -> Architecture | None:
    """A net to compare with, or None.

    Raises:
        SpecError: as `choose_net`.
    """
    others = _like(net)
    titles = {_NONE: _("no other net"), _OWN: _("a CIFAR net …")}
    titles |= {f"{_SAME}{family}": other.title for family, other in others.items()}
    titles |= {n.name: _title(n) for n in NAMED.values() if n != net}
    chosen = linked_choice(_("Compare with"), titles, key="with", as_list=True)
    if chosen == _NONE:
        return None
    if chosen == _OWN:
        return cifar(cifar_controls(_SECOND))
    return others[chosen.removeprefix(_SAME)] if chosen.startswith(_SAME) else NAMED[chosen]


def _like(net: Architecture) -> dict[str, Architecture]:
    """The same depth and width in the other CIFAR families, by family, where there are such."""
    if net.name != "cifar" or net.spec is None:
        return {}
    spec, found = net.spec, {}
    for family in FAMILIES:
        dense = "densenet" in (family, spec.family)  # whose width and block are something else
        options = {} if dense else {"width": spec.width}
        block = "basic" if dense else spec.block
        if family != spec.family:
            try:
                found[family] = cifar(net_beside(family, spec.depth, block, **options))
            except SpecError:
                continue
    return found
