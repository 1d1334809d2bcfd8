// Thousands of people on one canvas: near ones are one disc with a number; the grave are never hidden in one.
import { toGcj } from "./gcj02.js";
import { colour, L } from "./maps.js";

const CELL_PX = 56;
const SINGLE_FROM_ZOOM = 14;
const HIT_PX = 14;
/** How much larger everything is than on a desk: a wall display has a larger type, and its marks grow with it. */
const enlarged = () => Math.max(1, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
/** Gravest first; [state, colour, form, mark]: form and mark tell them apart without colour. */
export const STATES = [["critical", "critical", "diamond", "!"], ["major", "major", "triangle", "!"], ["minor", "minor", "square", ""],
  ["suspended", "soft", "circle", "Ⅱ"], ["leave", "info", "circle", "→"], ["normal", "good", "circle", ""]];
const RANK = Object.fromEntries(STATES.map(([state], i) => [state, i]));
const LOOK = Object.fromEntries(STATES.map(([state, ink, form, mark]) => [state, { ink, form, mark }]));

/** Web Mercator of the whole world as 0…1, by hand: Leaflet's own makes several objects for each. */
export function mercator(lon, lat, isGcj) {
  const [x, y] = isGcj ? toGcj(lon, lat) : [lon, lat];
  const sin = Math.sin((y * Math.PI) / 180);
  return [x / 360 + 0.5, 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)];
}

export const PeopleLayer = L.Layer.extend({
  /** people: () => iterable of {person_id, state, at: mercator, trail: [mercator…]}; chosen: () => person_id; picked(group). */
  initialize(people, chosen, picked) { Object.assign(this, { people, chosen, picked, groups: [] }); },
  onAdd(map) {
    const pane = map.getPane("people") || map.createPane("people");
    this.canvas = L.DomUtil.create("canvas", "", pane);
    // Above the names of zones (tooltips, 650), below popups (700).
    pane.style.zIndex = 660;
    pane.style.pointerEvents = this.canvas.style.pointerEvents = "none";
    map.on("moveend zoomend resize", this.redraw, this);
    map.on("click", this.clicked, this);
    this.redraw();
  },
  onRemove(map) {
    map.off("moveend zoomend resize", this.redraw, this);
    map.off("click", this.clicked, this);
    cancelAnimationFrame(this.frame);
    this.canvas.remove();
  },
  /** At most one drawing per frame, however many positions came. */
  soon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => { this.frame = 0; if (this._map) this.redraw(); });
  },
  redraw() {
    const map = this._map;
    const size = map.getSize();
    const ratio = window.devicePixelRatio || 1;
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    if (this.canvas.width !== size.x * ratio || this.canvas.height !== size.y * ratio) {
      this.canvas.width = size.x * ratio;
      this.canvas.height = size.y * ratio;
      this.canvas.style.width = size.x + "px";
      this.canvas.style.height = size.y + "px";
    }
    const origin = map.getPixelOrigin().add(map.containerPointToLayerPoint([0, 0]));
    const scale = 256 * 2 ** map.getZoom();
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.x, size.y);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const unit = (this.unit = enlarged());
    const inks = Object.fromEntries(STATES.map(([state, ink]) => [state, colour(ink)]));
    const card = colour("card");
    this.groups = this.gather(size, origin, scale, map.getZoom() >= SINGLE_FROM_ZOOM);
    // The gravest last, on top.
    this.groups.sort((a, b) => RANK[b.state] - RANK[a.state]);
    for (const group of this.groups) if (group.trail) tail(pen, group.trail, inks[group.state], origin, scale, unit);
    for (const group of this.groups) disc(pen, group, inks[group.state], card, group.ids.has(this.chosen()), unit);
  },
  /** Who is in view, by cells of the screen that stay put while the map is moved. */
  gather(size, origin, scale, single) {
    const cells = new Map();
    const cell = CELL_PX * this.unit;
    const chosen = this.chosen();
    for (const person of this.people()) {
      const [wx, wy] = [scale * person.at[0], scale * person.at[1]];
      const [x, y] = [wx - origin.x, wy - origin.y];
      if (x < -cell || y < -cell || x > size.x + cell || y > size.y + cell) continue;
      // Who has a grave alert is never hidden in a number.
      const alone = single || RANK[person.state] <= RANK.major || person.person_id === chosen;
      const key = alone ? person.person_id : Math.floor(wx / cell) * 0x1000000 + Math.floor(wy / cell);
      const group = cells.get(key);
      if (!group) cells.set(key, { x, y, n: 1, state: person.state, ids: new Set([person.person_id]), trail: alone && person.trail.length > 1 ? person.trail : null });
      else {
        group.x += (x - group.x) / ++group.n;
        group.y += (y - group.y) / group.n;
        group.ids.add(person.person_id);
        group.state = both(person.state, group.state);
      }
    }
    return [...cells.values()];
  },
  clicked(event) {
    let best = null;
    for (const group of this.groups) {
      const far = Math.hypot(group.x - event.containerPoint.x, group.y - event.containerPoint.y) - radius(group) * this.unit;
      if (far < HIT_PX * this.unit && (!best || far < best.far)) best = { far, group };
    }
    if (best) this.picked(best.group, event.latlng);
  },
});

/** What is no fault colours a group only when it holds for all of it. */
function both(one, other) {
  const worst = RANK[one] < RANK[other] ? one : other;
  return RANK[worst] <= RANK.minor || one === other ? worst : "normal";
}

const radius = (group) => (group.n === 1 ? 7 : 10 + Math.min(12, Math.log2(group.n) * 2));

function outline(pen, form, x, y, r) {
  pen.beginPath();
  if (form === "circle") return pen.arc(x, y, r, 0, 2 * Math.PI);
  const corners = form === "diamond" ? [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]] : form === "triangle" ? [[0, -1.45], [1.35, 1], [-1.35, 1]] : [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]];
  corners.forEach(([dx, dy], i) => (i ? pen.lineTo(x + dx * r, y + dy * r) : pen.moveTo(x + dx * r, y + dy * r)));
  pen.closePath();
}

function disc(pen, group, ink, card, chosen, unit) {
  const r = radius(group) * unit;
  const { form, mark } = LOOK[group.state];
  outline(pen, group.n > 1 ? "circle" : form, group.x, group.y, r);
  pen.fillStyle = ink;
  pen.fill();
  pen.lineWidth = 1.5 * unit;
  pen.strokeStyle = card;
  pen.stroke();
  if (chosen) {
    outline(pen, "circle", group.x, group.y, r + 7 * unit);
    pen.lineWidth = 3 * unit;
    pen.strokeStyle = ink;
    pen.stroke();
  }
  const text = group.n > 1 ? String(group.n) : mark;
  if (!text) return;
  pen.fillStyle = card;
  pen.font = `bold ${(group.n > 1 ? 12 : 10) * unit}px sans-serif`;
  pen.fillText(text, group.x, group.y + 0.5 * unit);
}

function tail(pen, trail, ink, origin, scale, unit) {
  pen.beginPath();
  trail.forEach(([wx, wy], i) => (i ? pen.lineTo(wx * scale - origin.x, wy * scale - origin.y) : pen.moveTo(wx * scale - origin.x, wy * scale - origin.y)));
  pen.lineWidth = 2 * unit;
  pen.globalAlpha = 0.6;
  pen.strokeStyle = ink;
  pen.stroke();
  pen.globalAlpha = 1;
}

/** The same form as on the map, for the legend. */
export function swatch(state) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 44;
  canvas.className = "swatch";
  canvas.setAttribute("aria-hidden", "true");
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  disc(pen, { x: 11, y: 11, n: 1, state, ids: new Set() }, colour(LOOK[state].ink), colour("card"), false, 1);
  return canvas;
}
