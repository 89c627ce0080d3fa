// Draws the figures that live_chart() sends. load_plotly() appends this text to
// plotly.min.js in one module, so `window.Plotly` is there when it runs.
//
// A message is a patch: `bases` are the states that it can start from (none: it is the
// whole figure), `seq` the state that it leads to. A chart in none of these has missed
// messages and asks for the whole.

const ASK_AGAIN_MS = 1000

// By key. A chart keeps its element when Streamlit builds its place on the page anew, and
// with it zoom, hidden traces and everything that was sent.
const charts = new Map()

function newChart() {
  const root = document.createElement("div")
  root.className = "resnet-viz-chart"
  root.setAttribute("role", "img")
  const chart = { root, seq: null, figure: null, theme: null, askedAt: -Infinity }
  chart.redrawSoon = () => setTimeout(() => redraw(chart))
  new ResizeObserver(() => resize(chart)).observe(root)
  return chart
}

function chartIn(parentElement, key) {
  if (!charts.has(key)) charts.set(key, newChart())
  const chart = charts.get(key)
  if (chart.root.parentNode !== parentElement) parentElement.append(chart.root)
  return chart
}

function resize(chart) {
  if (!chart.figure || chart.root.offsetWidth === 0) return // nothing to show, or in a closed tab
  redraw(chart)
  window.Plotly.Plots.resize(chart.root)
}

// The figure after a message. Changed arrays and objects are new ones: Plotly.react
// compares by identity.
function patched(figure, message) {
  const traces = { ...figure.traces }
  for (const [uid, changes] of Object.entries(message.traces ?? {})) {
    const trace = { ...traces[uid] }
    for (const [name, value] of Object.entries(changes.set ?? {})) trace[name] = value
    for (const name of changes.unset ?? []) delete trace[name]
    for (const [name, [kept, added]] of Object.entries(changes.tails ?? {}))
      trace[name] = trace[name].slice(0, kept).concat(added)
    traces[uid] = trace
  }
  return {
    traces,
    order: message.order ?? figure.order,
    layout: message.layout ?? figure.layout,
    alt: message.alt ?? figure.alt,
    png: message.png ?? figure.png,
  }
}

function themeOf(element) {
  const style = getComputedStyle(element)
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim()
  return {
    text: read("text-color"),
    background: read("background-color"),
    panel: read("secondary-background-color"),
    line: read("border-color"),
    font: read("font"),
  }
}

// Whatever the figure leaves open, in the colours and fonts of the page.
function template(theme) {
  const axis = {
    color: theme.text,
    gridcolor: theme.line,
    linecolor: theme.line,
    zerolinecolor: theme.line,
    automargin: true,
  }
  const box = { bgcolor: theme.panel, bordercolor: theme.line }
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: theme.text },
      hoverlabel: { ...box, font: { family: theme.font, color: theme.text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.text, activecolor: theme.text },
      xaxis: axis,
      yaxis: axis,
    },
  }
}

// A transparent picture in dark colours is unreadable on white paper, so the PNG gets
// the page's background.
function downloadPng(chart) {
  const layout = { ...chart.root.layout, paper_bgcolor: chart.theme.background }
  const { width, height } = chart.root._fullLayout
  return window.Plotly.downloadImage(
    { data: chart.root.data, layout, config: chart.root._context },
    { format: "png", filename: "resnet_viz", width, height, scale: 2 },
  )
}

// Made once a chart: Plotly.react starts anew when it is given another.
function config(chart) {
  const png = {
    name: "png",
    title: chart.figure.png,
    icon: window.Plotly.Icons.camera,
    click: () => downloadPng(chart),
  }
  const buttons = ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]
  return { displaylogo: false, displayModeBar: true, modeBarButtons: [buttons, [png]] }
}

function redraw(chart) {
  const shown = chart.root.offsetWidth > 0 // if not, the observer calls again when it is
  if (!shown) return
  if (chart.root._dragging) {
    // A drag measures in the picture that it began in.
    window.addEventListener("pointerup", chart.redrawSoon, { once: true })
    return
  }
  const { traces, order, layout, alt } = chart.figure
  chart.theme = themeOf(chart.root)
  chart.root.setAttribute("aria-label", alt)
  // Copies, since Plotly writes zoom and hidden traces into what it is given; uirevision
  // brings them back only where the figure itself still says what it said before.
  window.Plotly.react(
    chart.root,
    order.map((uid) => ({ ...traces[uid] })),
    { uirevision: "live", ...structuredClone(layout), template: template(chart.theme) },
    (chart.config ??= config(chart)),
  )
}

function draw({ parentElement, data, setTriggerValue }) {
  const chart = chartIn(parentElement, data.key)
  if (data.seq === chart.seq) {
    if (JSON.stringify(themeOf(chart.root)) !== JSON.stringify(chart.theme)) redraw(chart)
  } else if (data.bases.length === 0 || data.bases.includes(chart.seq)) {
    chart.figure = patched(data.bases.length === 0 ? { traces: {} } : chart.figure, data)
    chart.seq = data.seq
    redraw(chart)
  } else if (performance.now() - chart.askedAt > ASK_AGAIN_MS) {
    chart.askedAt = performance.now()
    setTriggerValue("resync", true)
  }
}

// The mounted parts wait for this; see _MOUNT in live_chart.py.
const slot = (window.resnetVizChart ??= {})
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
slot.resolve(draw)

export default () => {}
