"""A checkpoint of one's own, brought by upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
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
from resnet_viz.sources import MAX_BYTES, STATISTICS, Source
from resnet_viz.specs import SpecError
from resnet_viz.ui.inquiries import AnswerError
from resnet_viz.ui.inside.asking import open_card
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain


def own_file_control(backend: Backend, *, key: str, otherwise: Source) -> Source:
    """A file that is brought now or was brought before, and how its images were normalised.

    A new one that cannot be opened is not kept; the reason stands under the upload.

    Args:
        otherwise: the net as long as there is none.

    Raises:
        SpecError: it cannot be kept, or cannot be opened for a reason that is not the file's.
    """
    home = backend.store.home
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
    upload = None if file is None else _keep_once(home, file, key)
    if upload is not None and upload.refusal:
        st.error(plain(upload.refusal), icon=":material/broken_image:")
    kept = {path.name: path for path in list_own_nets(home)}
    if not kept:
        text = _("Bring a file with the weights of a net; until then the page shows {net}.")
        st.caption(plain(text.format(net=otherwise.name)))
        return otherwise
    newest = upload.name if upload is not None and upload.name in kept else None
    chosen = _kept_control(home, kept, newest, key)
    source = find_source(backend.store, str(kept[chosen]), statistics=_statistics_control(key))
    return source if _opens(backend, source, upload, chosen, key) else otherwise


@dataclass(frozen=True)
class _Upload:
    """What became of a file that was brought.

    Attributes:
        file: Streamlit's id of the upload.
        name: under which it is kept; "" where it is not.
        known: the same file had been brought before.
        refusal: why it is not kept.
    """

    file: str
    name: str = ""
    known: bool = False
    refusal: str = ""


def _keep_once(home: Path, file: Any, key: str) -> _Upload:
    """Keep an upload; no later run of the page brings it back when it was deleted or refused.

    Args:
        file: Streamlit's `UploadedFile`.
    """
    last: _Upload | None = st.session_state.get(_memory(key))
    if last is not None and last.file == file.file_id:
        return last
    before = {path.name for path in list_own_nets(home)}
    try:
        name = keep_own_net(home, file.name, file.getvalue()).name
    except StoreError as error:
        raise SpecError(str(error)) from error
    found = _Upload(file.file_id, name, known=name in before)
    st.session_state[_memory(key)] = found
    return found


def _memory(key: str) -> str:
    return f"{key}_kept"  # in the session: the last upload


def _kept_control(home: Path, kept: Mapping[str, Path], newest: str | None, key: str) -> str:
    titles = {name: own_net_title(path) for name, path in kept.items()}
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
        args=(home, chosen),
    )
    return chosen


def _opens(backend: Backend, source: Source, upload: _Upload | None, chosen: str, key: str) -> bool:
    """Whether a file can be opened; a new one that cannot is deleted, and the page runs again.

    Raises:
        AnswerError: it was not opened for a reason that is not the file's, which is kept.
    """
    try:
        open_card(backend, source)
    except AnswerError as error:
        if not error.refused:
            raise
        if upload is not None and upload.name == chosen and not upload.known:
            delete_own_net(backend.store.home, chosen)
            st.session_state[_memory(key)] = _Upload(upload.file, refusal=str(error))
            st.rerun()
        st.error(plain(str(error)), icon=":material/broken_image:")
        return False
    return True


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
