"""resnet_viz: page configuration and navigation. Run it with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from resnet_viz.i18n import _, set_language_source
from resnet_viz.ui.inquiries import stop_asking
from resnet_viz.ui.session import session_language

set_language_source(session_language)
st.set_page_config(
    page_title="resnet_viz",
    page_icon=Path(__file__).parent / "resnet_viz" / "assets" / "icon.svg",
    layout="wide",
    initial_sidebar_state=236,
)
# Streamlit's own sign of a running script has a Stop button, which is not the Stop of a sweep;
# and its empty header takes a tenth of a small screen.
st.html(
    "<style>[data-testid=stStatusWidget]{display:none}"
    "[data-testid=stMainBlockContainer]{padding:2.5rem clamp(1rem,3vw,5rem) 5rem}"
    "[data-testid=stHeader]{position:absolute;width:100%;background:none;pointer-events:none}"
    "[data-testid=stHeader] button{pointer-events:auto}"
    # Controls beside a picture go above it where a column of them would be too narrow to read.
    "@media(max-width:1000px){.st-key-controls_and_picture "
    "[data-testid=stColumn]:not([data-testid=stColumn] [data-testid=stColumn]){min-width:100%}}"
    "</style>"
)

page = st.navigation(
    {
        "": [
            st.Page("pages/start.py", title=_("Start"), icon=":material/home:", default=True),
        ],
        _("Train"): [
            st.Page(
                "pages/error_vs_depth.py",
                title=_("Error against depth"),
                icon=":material/stacked_line_chart:",
                url_path="error_vs_depth",
                help=_("Train plain and residual nets of several depths and compare them."),
            ),
            st.Page(
                "pages/gradients.py",
                title=_("Gradients"),
                icon=":material/ssid_chart:",
                url_path="gradients",
                help=_("What signal and gradient do in every layer, measured."),
            ),
            st.Page(
                "pages/runs.py",
                title=_("Runs"),
                icon=":material/list:",
                url_path="runs",
                help=_("Everything that was trained: open, compare, export, delete."),
            ),
        ],
        _("Look inside"): [
            st.Page(
                "pages/architectures.py",
                title=_("Architectures"),
                icon=":material/account_tree:",
                url_path="architectures",
                help=_("Any net drawn and counted: stages, blocks, operations."),
            ),
            st.Page(
                "pages/residual_blocks.py",
                title=_("Residual blocks"),
                icon=":material/call_split:",
                url_path="residual_blocks",
                help=_("Remove blocks of a trained net, insert new ones, follow the paths."),
            ),
            st.Page(
                "pages/feature_maps.py",
                title=_("Feature maps"),
                icon=":material/grid_view:",
                url_path="feature_maps",
                help=_("Upload an image: what each stage of a net makes of it."),
            ),
            st.Page(
                "pages/attributions.py",
                title=_("Attributions"),
                icon=":material/my_location:",
                url_path="attributions",
                help=_("Upload an image: which pixels decided, by fourteen methods."),
            ),
        ],
    }
)
if st.session_state.get("page") != page.url_path:
    st.session_state["page"] = page.url_path
    stop_asking()  # nobody looks at the answers any more
page.run()
