"""A page with a grid of maps beside what was chosen in it; run by test_sprite_grid.py."""

import numpy as np
import streamlit as st

from resnet_viz.figures.maps.pictures import Picture, map_png
from resnet_viz.figures.maps.sprites import map_sheet
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.sprite_grid import sprite_grid

st.set_page_config(layout="wide")
count = st.selectbox("Channels", [12, 512], key="count")
order = st.radio("Order", ["index", "strength"], key="order")
maps = np.abs(np.random.default_rng(0).normal(size=(count, 16, 16))).astype(np.float32)
if st.toggle("Grid", value=True, key="shown"):
    chosen = sprite_grid(map_sheet(maps, order=order), key="maps", alt="all maps")
    st.markdown(f"chosen: {chosen}")
preset = sprite_grid(map_sheet(maps[:4]), key="preset", selected=2, otherwise=3, alt="four maps")
st.markdown(f"preset: {preset}")
picture = Picture(map_png(maps[0]), "<b>channel</b> 0", "mean & more", 'said "aloud"')
pixel_images([picture, picture], least=160)
