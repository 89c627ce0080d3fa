// A square on a picture, to be moved and zoomed, and beside it what a net sees of it.
//
// The picture comes in a part of its own, which stays the same; the square's part says where
// the square is and what is seen. They may come in either order. See square_cut.py.

const MOST_PIXELS = 420 // of the picture's longest side on the page
const STEP = 1 / 24 // of the side: an arrow key moves so far
const ZOOM = 1.08 // a key or a notch of the wheel
const SEND_AFTER_MS = 350 // the last key or notch of the wheel
const WAIT_MS = 3000 // for Python's answer, before another square of its is drawn

const slot = (window.resnetVizSquare ??= {})

// By key. A view keeps its element when Streamlit builds its place on the page anew.
const views = (slot.views ??= new Map())

const element = (name, className, parent) => {
  const made = document.createElement(name)
  made.className = className
  parent.append(made)
  return made
}

function newView() {
  const root = document.createElement("div")
  root.className = "resnet-viz-square"
  const stage = element("div", "stage", root)
  const picture = element("img", "picture", stage)
  const frame = element("div", "frame", stage)
  element("div", "handle", frame)
  const side = element("div", "side", root)
  const seen = element("img", "seen", side)
  const words = element("div", "words", side)
  const line = element("div", "line", words)
  const reset = element("button", "reset", words)
  picture.draggable = false
  frame.tabIndex = 0
  frame.setAttribute("role", "group")
  line.setAttribute("aria-live", "polite")
  reset.type = "button"
  const view = { root, stage, picture, frame, seen, line, reset, image: null, part: null }
  view.canvas = document.createElement("canvas") // of the preview
  view.square = null
  view.grip = null // what a pointer holds while it is down
  view.sentAt = -Infinity
  stage.onpointerdown = (event) => grasp(view, event)
  stage.onpointermove = (event) => view.grip && drag(view, event)
  stage.onpointerup = stage.onpointercancel = () => letGo(view)
  stage.addEventListener("wheel", (event) => turn(view, event), { passive: false })
  frame.onkeydown = (event) => press(view, event)
  reset.onclick = () => {
    place(view, view.part.data.first)
    send(view)
  }
  return view
}

function viewOf(key) {
  if (!views.has(key)) views.set(key, newView())
  return views.get(key)
}

// The nearest whole square inside the picture: as Square.fit does.
function fitted({ width, height, least }, { x, y, side }) {
  const most = Math.min(width, height)
  side = Math.min(Math.max(Math.round(side), least), most)
  const inside = (at, length) => Math.min(Math.max(Math.round(at), 0), length - side)
  return { x: inside(x, width), y: inside(y, height), side }
}

function place(view, square) {
  const { data } = view.part
  view.square = fitted(data, square)
  const { x, y, side } = view.square
  const style = view.frame.style
  style.left = `${(100 * x) / data.width}%`
  style.top = `${(100 * y) / data.height}%`
  style.width = `${(100 * side) / data.width}%`
  style.height = `${(100 * side) / data.height}%`
  const values = { side, width: data.width, height: data.height, size: data.size }
  const line = data.words.line.replace(/{(\w+)}/g, (_, name) => values[name])
  if (view.line.textContent !== line) view.line.textContent = line
  const stale = !same(view.square, data.square)
  view.root.classList.toggle("stale", stale)
  if (stale) preview(view)
  view.reset.disabled = same(view.square, data.first)
}

// About what the net will see, until Python sends exactly that.
function preview({ picture, seen, square, part, canvas }) {
  if (!picture.complete || !picture.naturalWidth) return
  const { width, size } = part.data
  const scale = picture.naturalWidth / width
  const { x, y, side } = square
  canvas.width = canvas.height = size
  const context = canvas.getContext("2d")
  context.imageSmoothingQuality = "high"
  context.drawImage(picture, x * scale, y * scale, side * scale, side * scale, 0, 0, size, size)
  seen.src = canvas.toDataURL()
}

const same = (a, b) => a.x === b.x && a.y === b.y && a.side === b.side

function send(view) {
  clearTimeout(view.timer)
  if (same(view.square, view.part.data.square)) return
  view.sentAt = performance.now()
  view.part.setStateValue("square", view.square)
}

function sendSoon(view) {
  clearTimeout(view.timer)
  view.sentAt = performance.now() // Python's older square must not take this one back
  view.timer = setTimeout(() => send(view), SEND_AFTER_MS)
}

// A pointer's place in the picture's own pixels.
function pointed({ stage, part }, { clientX, clientY }) {
  const box = stage.getBoundingClientRect()
  return {
    x: ((clientX - box.x) / box.width) * part.data.width,
    y: ((clientY - box.y) / box.height) * part.data.height,
  }
}

function grasp(view, event) {
  if (event.button !== 0 || !view.square) return
  const at = pointed(view, event)
  const { x, y, side } = view.square
  const zooms = event.target.className === "handle"
  if (!view.frame.contains(event.target)) {
    place(view, { x: at.x - side / 2, y: at.y - side / 2, side })
  }
  const now = view.square
  view.grip = zooms
    ? { zooms, x, y, dx: x + side - at.x, dy: y + side - at.y }
    : { zooms, dx: now.x - at.x, dy: now.y - at.y }
  view.stage.setPointerCapture(event.pointerId)
  view.frame.focus({ preventScroll: true })
  event.preventDefault()
}

function drag(view, event) {
  const at = pointed(view, event)
  const { grip, square } = view
  const { width, height } = view.part.data
  if (!grip.zooms) return place(view, { ...square, x: at.x + grip.dx, y: at.y + grip.dy })
  const wanted = Math.max(at.x + grip.dx - grip.x, at.y + grip.dy - grip.y)
  const side = Math.min(wanted, width - grip.x, height - grip.y) // its other corner stays
  place(view, { x: grip.x, y: grip.y, side })
}

function letGo(view) {
  if (!view.grip) return
  view.grip = null
  send(view)
}

function zoom(view, factor) {
  const { x, y, side } = view.square
  const { width, height, least } = view.part.data
  const wanted = factor > 1 ? Math.ceil(side * factor) : Math.floor(side * factor)
  const to = Math.min(Math.max(wanted, least), width, height)
  place(view, { x: x + (side - to) / 2, y: y + (side - to) / 2, side: to })
  sendSoon(view)
}

// Only where the square has the focus: else the wheel scrolls the page, as everywhere.
function turn(view, event) {
  if (document.activeElement !== view.frame || !event.deltaY) return
  event.preventDefault()
  zoom(view, event.deltaY > 0 ? ZOOM : 1 / ZOOM)
}

function press(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const { x, y, side } = view.square
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(side * STEP))
  const moves = {
    ArrowLeft: [-step, 0],
    ArrowRight: [step, 0],
    ArrowUp: [0, -step],
    ArrowDown: [0, step],
  }
  if (event.key in moves) {
    const [dx, dy] = moves[event.key]
    place(view, { x: x + dx, y: y + dy, side })
    sendSoon(view)
  } else if (event.key === "+" || event.key === "=") zoom(view, 1 / ZOOM)
  else if (event.key === "-" || event.key === "−") zoom(view, ZOOM)
  else if (event.key === "Home") {
    place(view, view.part.data.first)
    sendSoon(view)
  } else return
  event.preventDefault()
}

function draw(view) {
  const { image, part } = view
  if (!image || !part) return // the other part is on its way
  const { data, parentElement } = part
  if (view.root.parentNode !== parentElement) parentElement.append(view.root)
  const scale = MOST_PIXELS / Math.max(data.width, data.height)
  view.stage.style.width = `${Math.max(24, data.width * scale)}px`
  view.stage.style.aspectRatio = `${data.width} / ${data.height}`
  view.picture.classList.toggle("small", scale > 2)
  if (view.picture.src !== image.picture) view.picture.src = image.picture
  view.picture.alt = image.title
  view.frame.setAttribute("aria-label", `${data.words.square}. ${data.words.keys}`)
  view.frame.title = data.words.keys
  view.reset.textContent = data.words.reset
  view.reset.title = data.words.middle
  view.seen.alt = data.words.seen
  view.seen.src = `data:image/png;base64,${data.seen}`
  const awaited = performance.now() - view.sentAt < WAIT_MS && view.square
  const theirs = view.grip || awaited ? view.square : data.square
  place(view, theirs)
}

slot.show = (part) => {
  const view = viewOf(part.data.key)
  view.part = part
  draw(view)
}

// The mounted squares wait for this; see _MOUNT in square_cut.py.
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
slot.resolve?.((part) => slot.show(part))

export default ({ data }) => {
  const view = viewOf(data.key)
  view.image = data
  draw(view)
}
