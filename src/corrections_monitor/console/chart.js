// Figures by day, by uPlot; loaded only where there are some to show.
import { colour } from "./maps.js";
import uPlot from "./vendor/uplot/uPlot.esm.js";

const HEIGHT_PX = 190;
const BARS = uPlot.paths.bars({ size: [0.7, 60] });

/** days: ["2026-11-24" …]; series: [{label, values, ink, bars?, dash?, text: number → words}].  The picture is said in
 * words by ``label``; the numbers under the pointer stand in the legend. */
export function byDay(place, label, days, series, signal) {
  const font = `${parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75}px sans-serif`;
  const axis = { stroke: colour("soft"), font, grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
  const say = series[0].text;
  const chart = new uPlot({
    width: place.clientWidth || 600,
    height: HEIGHT_PX,
    cursor: { y: false, drag: { x: false } },
    scales: { x: { time: false, range: [-0.6, days.length - 0.4] }, y: { range: (_, __, most) => [0, (most || 1) * 1.1] } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 7, 14, 30, 60], values: (_, at) => at.map((i) => days[i]?.slice(5) ?? "") },
      { ...axis, size: 74, values: (_, at) => at.map(say) },
    ],
    series: [{ value: (_, i) => days[i] ?? "–" }, ...series.map(({ label: name, ink, bars, dash, text }) => ({
      label: name, stroke: colour(ink), fill: bars ? colour(ink) : undefined, paths: bars ? BARS : undefined, width: bars ? 0 : 2, dash, points: { show: !bars, size: 5 }, spanGaps: false,
      value: (_, v) => (v === null || v === undefined ? "–" : text(v)) }))],
  }, [days.map((_, i) => i), ...series.map((s) => s.values)], place);
  chart.root.querySelector("canvas").setAttribute("role", "img");
  chart.root.querySelector("canvas").setAttribute("aria-label", label);
  const resized = new ResizeObserver(() => place.clientWidth && chart.setSize({ width: place.clientWidth, height: HEIGHT_PX }));
  resized.observe(place);
  signal.addEventListener("abort", () => { resized.disconnect(); chart.destroy(); });
}
