/** The faint patterns of floor and wall. Only + − × ÷, floor and abs: every machine rounds alike. */
import type { Surface } from "./scene";

/** 0 … 1 … 0 over one period, with rounded ends: a cosine's look without its library-dependent last bit. */
function wave(x: number): number {
  const saw = x - Math.floor(x);
  const triangle = saw < 0.5 ? 2 * saw : 2 - 2 * saw;
  return triangle * triangle * (3 - 2 * triangle);
}

/** Steep step from 0 to 1 around ½, so that edges of tiles are not jagged. */
function edge(x: number): number {
  const steep = (x - 0.5) * 8 + 0.5;
  return Math.min(1, Math.max(0, steep));
}

/** Factor on the colour of the surface at (u, v); `fade` (0…1) takes the pattern away where it is too fine to see. */
export function patternAt(surface: Surface, u: number, v: number, fade: number): number {
  if (surface.pattern === "plain") return 1;
  const k = surface.frequency;
  const x = (surface.cosTurn * u - surface.sinTurn * v) * k + surface.phase;
  const y = (surface.sinTurn * u + surface.cosTurn * v) * k + surface.phase;
  let level: number;
  switch (surface.pattern) {
    case "checks": {
      const a = edge(wave(x));
      const b = edge(wave(y));
      level = a + b - 2 * a * b;
      break;
    }
    case "stripes":
      level = edge(wave(x));
      break;
    case "clouds":
      level =
        0.5 * wave(0.61 * x + 0.37 * wave(0.83 * y)) + 0.5 * wave(0.71 * y + 0.53 * wave(1.13 * x + 0.29 * y) + 0.31);
      break;
  }
  return 1 + surface.contrast * fade * (2 * level - 1);
}
