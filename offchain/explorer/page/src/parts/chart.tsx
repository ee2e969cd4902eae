/** Lines over epochs, drawn at the size of their place. The numbers stand in a table behind it. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Points } from "../api/types";
import { figure, scale, ticks } from "./scale";

export interface Series {
  name: string;
  points: Points;
}

const HEIGHT = 250;
const MARGIN = { left: 48, right: 14, top: 10, bottom: 34 };
/** Lines differ in dashes and marks too, for not everybody tells colours apart. */
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 4"];
const COLOURS = 6;

export function useWidth<T extends HTMLElement>(start: number) {
  const place = useRef<T>(null);
  const [width, setWidth] = useState(start);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(200, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { place, width };
}

function Marker({ index, x, y }: { index: number; x: number; y: number }) {
  switch (index % 3) {
    case 0:
      return <circle cx={x} cy={y} r="3" />;
    case 1:
      return <rect x={x - 2.8} y={y - 2.8} width="5.6" height="5.6" />;
    default:
      return <path d={`M${x} ${y - 3.6}l3.6 6.4h-7.2z`} />;
  }
}

interface ChartProps {
  title: string;
  series: Series[];
  xName: string;
  yName: string;
}

export function LineChart({ title, series, xName, yName }: ChartProps) {
  const { place, width } = useWidth<HTMLDivElement>(600);
  const label = useId();
  const points = series.flatMap(line => line.points);
  if (points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const xRange: [number, number] = [Math.min(...xs), Math.max(...xs)];
  const pad = (Math.max(...ys) - Math.min(...ys)) * 0.06 || 0.05;
  const yRange: [number, number] = [Math.min(...ys) - pad, Math.max(...ys) + pad];
  const x = scale(xRange, [MARGIN.left, width - MARGIN.right]);
  const y = scale(yRange, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  return (
    <div ref={place} class="chart">
      <svg width={width} height={HEIGHT} role="img" aria-labelledby={label}>
        <title id={label}>{`${title}. The numbers are in the table below.`}</title>
        <g class="axis">
          {ticks(yRange[0], yRange[1], 5).map(value => (
            <g key={value}>
              <line x1={MARGIN.left} x2={width - MARGIN.right} y1={y(value)} y2={y(value)} />
              <text x={MARGIN.left - 6} y={y(value) + 4} text-anchor="end">
                {figure(value)}
              </text>
            </g>
          ))}
          {ticks(xRange[0], xRange[1], Math.min(8, width / 70))
            .filter(Number.isInteger)
            .map(value => (
              <text key={value} x={x(value)} y={HEIGHT - MARGIN.bottom + 16} text-anchor="middle">
                {value}
              </text>
            ))}
          <text x={(MARGIN.left + width - MARGIN.right) / 2} y={HEIGHT - 4} text-anchor="middle">
            {xName}
          </text>
          <text class="y-name" x={MARGIN.left + 4} y={MARGIN.top + 6}>
            {yName}
          </text>
        </g>
        {series.map((line, index) => (
          <g key={line.name} class={`line tone-${index % COLOURS}`}>
            <path
              d={line.points
                .map(([px, py], at) => `${at === 0 ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`)
                .join("")}
              stroke-dasharray={DASHES[index % DASHES.length]}
            />
            {line.points.length <= 60
              ? line.points.map(([px, py]) => <Marker key={px} index={index} x={x(px)} y={y(py)} />)
              : null}
          </g>
        ))}
      </svg>
      <ul class="chart-legend">
        {series.map((line, index) => (
          <li key={line.name} class={`line tone-${index % COLOURS}`}>
            <svg width="34" height="12" aria-hidden="true" focusable="false">
              <path d="M2 6H32" stroke-dasharray={DASHES[index % DASHES.length]} />
              <Marker index={index} x={17} y={6} />
            </svg>
            {line.name}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The same numbers: epochs in rows, lines in columns. */
export function SeriesTable({ series, caption, xName }: { series: Series[]; caption: string; xName: string }) {
  const epochs = [...new Set(series.flatMap(line => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  return (
    <table class="grid">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{xName}</th>
          {series.map(line => (
            <th key={line.name} scope="col" class="right">
              {line.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {epochs.map(epoch => (
          <tr key={epoch}>
            <th scope="row">{epoch}</th>
            {series.map(line => {
              const point = line.points.find(([x]) => x === epoch);
              return (
                <td key={line.name} class="right number">
                  {point ? figure(point[1]) : "–"}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
