// Shows the SVG that net_drawing() sends and says which place in it a person opens.
//
// The SVG is written by this program (figures/architecture); its texts are escaped there.

const slot = (window.resnetVizNet ??= {})
const views = (slot.views ??= new Map()) // by key; a view keeps its element and the focus

const element = (name, className, parent) => {
  const made = document.createElement(name)
  made.className = className
  parent.append(made)
  return made
}

function newView() {
  const root = document.createElement("div")
  root.className = "resnet-viz-net"
  const way = element("nav", "way", root)
  const body = element("div", "body", root)
  const picture = element("div", "picture", body)
  const panel = element("table", "panel", body)
  const hint = element("div", "hint", root)
  const view = { root, way, picture, panel, hint, part: null, drawn: null, at: null }
  picture.onclick = ({ target }) => open(view, target.closest("[data-place]"))
  picture.onkeydown = (event) => press(view, event)
  picture.addEventListener("focusin", ({ target }) => (view.at = target.dataset?.place ?? null))
  return view
}

const items = (view) => [...view.picture.querySelectorAll("[data-place]")]

function open(view, item) {
  if (item) send(view, item.dataset.place)
}

function send(view, place) {
  view.root.classList.add("waiting")
  view.part.setStateValue("place", place)
}

// One item at a time is in the order of Tab; arrow keys go from one to the next.
function reach(view, item) {
  items(view).forEach((other) => other.setAttribute("tabindex", other === item ? "0" : "-1"))
  item.focus({ preventScroll: false })
}

function press(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const all = items(view)
  const here = all.indexOf(event.target.closest("[data-place]"))
  const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }
  if (event.key in moves) {
    const next = all[here + moves[event.key]]
    if (next) reach(view, next)
  } else if (event.key === "Home") reach(view, all[0])
  else if (event.key === "End") reach(view, all.at(-1))
  else if (event.key === "Enter" || event.key === " ") open(view, all[here])
  else if (event.key === "Escape" || event.key === "Backspace") {
    const { crumbs } = view.part.data
    if (crumbs.length > 1) send(view, crumbs.at(-2).place)
  } else return
  event.preventDefault()
}

function fillWay(view, { crumbs, words }) {
  view.way.replaceChildren()
  view.way.setAttribute("aria-label", words.way)
  crumbs.forEach(({ place, title }, number) => {
    if (number) element("span", "then", view.way).textContent = "›"
    const last = number === crumbs.length - 1
    const crumb = element(last ? "span" : "button", last ? "here" : "crumb", view.way)
    crumb.textContent = title
    if (last) crumb.setAttribute("aria-current", "page")
    else crumb.onclick = () => send(view, place)
  })
}

function fillPanel(view, { details }) {
  view.panel.replaceChildren()
  view.panel.hidden = !details.length
  details.forEach(([name, value], number) => {
    const row = element("tr", "", view.panel)
    const head = element("th", "", row)
    head.textContent = name
    if (number === 0) return head.setAttribute("colspan", "2")
    element("td", "", row).textContent = value
  })
}

function draw(view) {
  const { data, parentElement } = view.part
  if (view.root.parentNode !== parentElement) parentElement.append(view.root)
  view.root.classList.remove("waiting")
  fillWay(view, data)
  fillPanel(view, data)
  view.hint.textContent = data.words.hint
  if (view.drawn === data.svg) return
  const focused = view.picture.contains(document.activeElement)
  const before = view.at
  view.picture.innerHTML = data.svg
  view.drawn = data.svg
  const all = items(view)
  const around = all.find((item) => before?.startsWith(`${item.dataset.place}.`)) // on the way back
  const same = all.find((item) => item.dataset.place === before) ?? around
  const first = same ?? all[0]
  first?.setAttribute("tabindex", "0")
  if (focused) first?.focus({ preventScroll: true })
}

export default (part) => {
  const { key } = part.data
  if (!views.has(key)) views.set(key, newView())
  const view = views.get(key)
  view.part = part
  draw(view)
}
