// Draws the sheets that sprite_grid() sends as a grid of cells, one of which can be chosen.
//
// A sheet comes in a part of its own, which stays the same until the sheet changes; the grid's
// part names the sheet that it is for and says which channel is selected. They may come in
// either order. See sprite_grid.py.

const [GAP, PADDING] = [4, 6] // as in sprite_grid.css
const MOST_TIMES_LARGER = 3
const TAKEN_BACK = -1 // as in sprite_grid.py

const slot = (window.resnetVizGrid ??= {})

// By key. A grid keeps its element when Streamlit builds its place on the page anew, and with
// it scroll and focus.
const grids = (slot.grids ??= new Map())

function newGrid() {
  const root = document.createElement("div")
  const label = document.createElement("div")
  const box = document.createElement("div")
  label.className = "resnet-viz-grid-label"
  label.setAttribute("aria-hidden", "true") // every cell says it by itself
  const more = document.createElement("div")
  more.className = "resnet-viz-grid-label"
  more.setAttribute("aria-hidden", "true") // the cells are counted to who cannot see them
  box.className = "resnet-viz-grid"
  box.setAttribute("role", "listbox")
  root.append(label, box, more)
  const grid = { root, label, box, more, sheet: null, drawn: null, part: null, chosen: null }
  grid.awaited = undefined // what was chosen here and Python has not answered yet
  grid.top = 0
  box.onclick = ({ target }) => target.role === "option" && choose(grid, placeOf(grid, target))
  box.onkeydown = (event) => press(grid, event)
  box.onscroll = () => (grid.top = box.scrollTop)
  box.onpointerover = ({ target }) => tell(grid, target)
  box.onpointerleave = () => tell(grid, null)
  box.addEventListener("focusin", ({ target }) => tell(grid, target))
  box.addEventListener("focusout", () => tell(grid, null))
  new ResizeObserver(() => fit(grid)).observe(root)
  return grid
}

function gridOf(key) {
  if (!grids.has(key)) grids.set(key, newGrid())
  return grids.get(key)
}

const cells = (grid) => [...grid.box.children]
const placeOf = (grid, cell) => cells(grid).indexOf(cell)

// The line above the cells: what is under the pointer or in focus, else what is selected.
function tell(grid, cell) {
  if (!grid.drawn || !grid.part) return
  const { order, labels } = grid.drawn
  const hint = grid.part.data.hint
  const place = cell?.role === "option" ? placeOf(grid, cell) : order.indexOf(grid.chosen)
  grid.label.textContent = place < 0 ? hint : labels[place]
}

function choose(grid, place) {
  const channel = grid.drawn.order[place]
  const back = channel === grid.chosen
  grid.awaited = back ? grid.part.data.otherwise : channel
  mark(grid, grid.awaited)
  reach(grid, place)
  grid.part.setStateValue("selected", back ? TAKEN_BACK : channel)
}

function mark(grid, chosen) {
  grid.chosen = chosen
  const at = grid.drawn.order.indexOf(chosen)
  const inside = grid.box.contains(document.activeElement)
  cells(grid).forEach((cell, place) => {
    cell.setAttribute("aria-selected", place === at)
    if (!inside) cell.tabIndex = place === Math.max(at, 0) ? 0 : -1
  })
  const shown = grid.box.querySelector(":hover, :focus")
  tell(grid, shown)
}

// Bring the focus to a cell: it alone is in the order of Tab.
function reach(grid, place) {
  cells(grid).forEach((cell, other) => (cell.tabIndex = other === place ? 0 : -1))
  grid.box.children[place].focus()
}

function press(grid, event) {
  const place = placeOf(grid, event.target)
  if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return
  const last = grid.box.children.length - 1
  const moves = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columnsOf(grid),
    ArrowDown: columnsOf(grid),
    Home: -place,
    End: last - place,
  }
  if (event.key in moves) {
    const to = place + moves[event.key]
    if (to >= 0 && to <= last) reach(grid, to)
  } else if (event.key === "Enter" || event.key === " ") {
    choose(grid, place)
  } else return
  event.preventDefault()
}

function columnsOf(grid) {
  const tops = cells(grid).map((cell) => cell.offsetTop)
  const next = tops.findIndex((top) => top > tops[0])
  return next < 0 ? tops.length : next
}

// Cells as large as fit without scrolling: a whole number of times the sheet's own.
function fit(grid) {
  const sheet = grid.drawn
  if (!sheet || grid.root.offsetWidth === 0) return // nothing to show, or in a closed tab
  const width = grid.root.offsetWidth - 2 * PADDING
  const height = (times) => {
    const step = sheet.cell * times + GAP
    const columns = Math.floor((width + GAP) / step)
    return columns > 0 ? Math.ceil(sheet.order.length / columns) * step + 2 * PADDING : Infinity
  }
  let times = MOST_TIMES_LARGER
  while (times > 1 && height(times) > sheet.most) times--
  // Where some are left over, the last row that is seen is cut, and a line says how many there are.
  const scrolls = height(times) > sheet.most
  const rows = Math.max(1, Math.floor((sheet.most - PADDING) / (sheet.cell * times + GAP) - 0.5))
  const most = scrolls ? (rows + 0.5) * (sheet.cell * times + GAP) + PADDING : sheet.most
  grid.box.style.setProperty("--most", `${most}px`)
  grid.more.textContent = scrolls ? sheet.more : ""
  grid.more.hidden = !scrolls
  if (times === grid.times && sheet === grid.fitted) return
  grid.times = times
  grid.fitted = sheet
  const style = grid.box.style
  style.setProperty("--side", `${sheet.cell * times}px`)
  style.setProperty("--sheet-width", `${sheet.width * times}px`)
  style.setProperty("--sheet-height", `${sheet.height * times}px`)
  const step = (sheet.cell + sheet.gap) * times
  cells(grid).forEach((cell, place) => {
    const [column, row] = [place % sheet.columns, Math.floor(place / sheet.columns)]
    cell.style.backgroundPosition = `${-column * step}px ${-row * step}px`
  })
}

// Cells stay where they are, so that scroll and focus do; only their pictures and words change.
function fill(grid) {
  const sheet = grid.sheet
  if (sheet === grid.drawn) return
  const bytes = Uint8Array.from(atob(sheet.png), (c) => c.charCodeAt(0))
  if (grid.url) URL.revokeObjectURL(grid.url)
  grid.url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }))
  grid.box.style.setProperty("--sheet", `url("${grid.url}")`)
  while (grid.box.children.length > sheet.order.length) grid.box.lastChild.remove()
  while (grid.box.children.length < sheet.order.length) {
    const cell = document.createElement("div")
    cell.role = "option"
    grid.box.append(cell)
  }
  cells(grid).forEach((cell, place) => cell.setAttribute("aria-label", sheet.labels[place]))
  grid.drawn = sheet
  grid.awaited = undefined
}

function draw(grid) {
  const { sheet, part } = grid
  if (!sheet || !part || sheet.id !== part.data.sheet) return // the other part is on its way
  if (grid.root.parentNode !== part.parentElement) part.parentElement.append(grid.root)
  fill(grid)
  fit(grid)
  grid.box.scrollTop = grid.top
  grid.box.setAttribute("aria-label", part.data.alt)
  if (part.data.selected === grid.awaited) grid.awaited = undefined
  mark(grid, grid.awaited === undefined ? part.data.selected : grid.awaited)
}

slot.show = (part) => {
  const grid = gridOf(part.data.key)
  grid.part = part
  draw(grid)
}

// The mounted grids wait for this; see _MOUNT in sprite_grid.py.
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
slot.resolve?.((part) => slot.show(part))

export default ({ data }) => {
  const grid = gridOf(data.key)
  if (grid.sheet?.id !== data.id) grid.sheet = data
  draw(grid)
}
