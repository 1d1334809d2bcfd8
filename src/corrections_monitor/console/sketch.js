// A shape being drawn: a click adds a corner, corners are dragged, a double click (or right click) takes one away.
import { colour, L, shapeLayer } from "./maps.js";

const DEFAULTS = { radius_m: 200, width_m: 100 };
const LEAST = { Point: 1, LineString: 2, Polygon: 3 };

export class Sketch {
  constructor(map, geometry, { radius_m, width_m }, changed) {
    this.map = map;
    this.changed = changed;
    this.size = { radius_m: radius_m || DEFAULTS.radius_m, width_m: width_m || DEFAULTS.width_m };
    this.type = geometry.type;
    // A zone of several pieces, or with holes, is shown and kept as it is; only its properties are edited.
    this.fixed = geometry.type === "MultiPolygon" || (geometry.type === "Polygon" && geometry.coordinates.length > 1) ? geometry : null;
    this.points = this.fixed ? [] : (geometry.type === "Point" ? (geometry.coordinates.length ? [geometry.coordinates] : []) :
      geometry.type === "Polygon" ? (geometry.coordinates[0] || []).slice(0, -1) : geometry.coordinates).map((p) => [...p]);
    this.before = JSON.stringify(this.points);
    this.layer = L.featureGroup().addTo(map);
    this.onClick = (event) => this.add(event.latlng);
    map.on("click", this.onClick);
    map.doubleClickZoom.disable();
    map.getContainer().classList.add("drawing");
    this.draw();
  }

  /** Whether there is enough to be a zone. */
  isWhole() { return Boolean(this.fixed) || this.points.length >= LEAST[this.type]; }
  isMoved() { return !this.fixed && JSON.stringify(this.points) !== this.before; }

  get geometry() {
    if (this.fixed) return this.fixed;
    if (this.type === "Point") return { type: "Point", coordinates: this.points[0] || [] };
    if (this.type === "LineString") return { type: "LineString", coordinates: this.points };
    return { type: "Polygon", coordinates: this.points.length ? [[...this.points, this.points[0]]] : [] };
  }

  add(latlng) {
    if (this.fixed) return;
    const at = [round(latlng.lng), round(latlng.lat)];
    if (this.type === "Point") this.points = [at];
    else this.points.push(at);
    this.draw();
    this.changed();
  }

  resize(size) {
    Object.assign(this.size, size);
    this.drawShape();
    this.changed();
  }

  draw() {
    this.layer.clearLayers();
    this.shape = null;
    this.drawShape();
    this.points.forEach((point, i) => {
      const corner = L.marker([point[1], point[0]], { draggable: true, keyboard: false, icon: L.divIcon({ className: "corner", iconSize: [16, 16] }) }).addTo(this.layer);
      corner.on("drag", () => { const at = corner.getLatLng(); this.points[i] = [round(at.lng), round(at.lat)]; this.drawShape(); });
      corner.on("dragend", () => this.changed());
      corner.on("dblclick contextmenu", () => { if (this.type === "Point") return; this.points.splice(i, 1); this.draw(); this.changed(); });
    });
  }

  drawShape() {
    this.shape?.remove();
    if (!this.isWhole()) return void (this.shape = null);
    this.shape = shapeLayer(this.geometry, this.size, { color: colour("strong"), weight: 3, fillOpacity: 0.15, interactive: false }).addTo(this.layer);
  }

  fit() {
    if (this.isWhole()) this.map.fitBounds(this.shape.getBounds().pad(0.5), { maxZoom: 17 });
  }

  remove() {
    this.map.off("click", this.onClick);
    this.map.doubleClickZoom.enable();
    this.map.getContainer().classList.remove("drawing");
    this.layer.remove();
  }
}

/** Seven digits are a centimetre. */
const round = (degrees) => Math.round(degrees * 1e7) / 1e7;
