"""A checkpoint of one's own, brought by upload."""

from __future__ import annotations

from typing import Any

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.own_nets import (
    ENDINGS,
    delete_own_net,
    keep_own_net,
    list_own_nets,
    own_net_title,
)
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.sources import find_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import MAX_BYTES, STATISTICS, Source
from resnet_viz.specs import SpecError
from resnet_viz.ui.linked_choice import linked_choice


def own_file_control(store: RunStore, *, key: str) -> Source:
    """A file that is brought now or was brought before, and how its images were normalised.

    Raises:
        SpecError: there is none yet, or it cannot be kept.
    """
    file = st.file_uploader(
        _("Weights of a CIFAR or ImageNet ResNet"),
        type=list(ENDINGS),
        key=f"{key}_file",
        max_upload_size=MAX_BYTES >> 20,
        help=_(
            "safetensors, or a PyTorch file of a state dict; a file that would run code when it "
            "is opened is refused. Depth, width and shortcut are read from the tensors."
        ),
    )
    newest = None if file is None else _keep_once(store, file, key)
    kept = {path.name: path for path in list_own_nets(store.home)}
    if not kept:
        raise SpecError(_("Bring a file with the weights of a net, or choose an included net."))
    titles = {name: own_net_title(path) for name, path in kept.items()}
    if newest not in kept:
        newest = None  # deleted since
    # A new upload makes a new control, which begins with it.
    chosen = linked_choice(
        _("File"), titles, key=f"{key}_own_{newest or ''}", default=newest, as_list=True
    )
    st.button(
        _("Delete this file from this computer's data folder"),
        key=f"{key}_delete",
        type="tertiary",
        icon=":material/delete:",
        on_click=delete_own_net,
        args=(store.home, chosen),
    )
    return find_source(store, str(kept[chosen]), statistics=_statistics_control(key))


def _keep_once(store: RunStore, file: Any, key: str) -> str:
    """Name under which an upload was kept; no later run of the page brings it back when deleted.

    Args:
        file: Streamlit's `UploadedFile`.
    """
    memory = f"{key}_kept"  # of the session: the upload, and its name in the data folder
    upload, name = st.session_state.get(memory, ("", ""))
    if upload != file.file_id:
        try:
            name = keep_own_net(store.home, file.name, file.getvalue()).name
        except StoreError as error:
            raise SpecError(str(error)) from error
        st.session_state[memory] = file.file_id, name
    return str(name)


def _statistics_control(key: str) -> str:
    titles = {
        "imagenet": _("ImageNet's mean and deviation"),
        "cifar10": _("CIFAR-10's mean and deviation"),
        "half": _("0.5 and 0.5"),
    }
    assert set(titles) == set(STATISTICS)
    return linked_choice(
        _("Its images were normalised by"),
        titles,
        key=f"{key}_statistics",
        as_list=True,
        help=_("A file of weights rarely says; a wrong choice costs accuracy."),
    )
