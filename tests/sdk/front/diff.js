// Compares masked answers leaf by leaf.
import { About, Time } from "./mask.js";

// Both sides get the same requests, but not at the same speed: what happened earlier in a case may be further back.
const TIME_SECONDS = 10;
const PAST_SECONDS = 60;
const isPast = (time) => time.seconds < -2;

const MASK = /<(id|jwt|secret|token of [0-9]+) [0-9]+>/g;

/** Which masks of one side belong to which of the other, as far as a case has shown. */
export class Pairs {
  #left = new Map();
  #right = new Map();

  /** Whether two masked texts are the same; masks that neither side had before belong together from now on. */
  fit(one, other) {
    const plain = (text) => text.replace(MASK, "<$1>");
    if (plain(one) !== plain(other)) return false;
    const others = other.match(MASK) ?? [];
    return (one.match(MASK) ?? []).every((mask, index) => this.#pair(mask, others[index]));
  }

  #pair(left, right) {
    if (!this.#left.has(left) && !this.#right.has(right)) {
      this.#left.set(left, right);
      this.#right.set(right, left);
    }
    return this.#left.get(left) === right;
  }
}

/** Every leaf of a masked answer under its path. */
function leaves(value, path = "", found = new Map()) {
  if (value === undefined) return found;
  const isLeaf = value === null || typeof value !== "object" || value instanceof Time || value instanceof About;
  const inner = isLeaf ? [] : Object.entries(value);
  if (isLeaf) found.set(path, value);
  else if (inner.length === 0) found.set(path, Array.isArray(value) ? "[]" : "{}");
  for (const [name, item] of inner) leaves(item, path ? `${path}.${name}` : name, found);
  return found;
}

function isSame(one, other, pairs) {
  if (one instanceof Time && other instanceof Time) {
    const limit = isPast(one) || isPast(other) ? PAST_SECONDS : TIME_SECONDS;
    return Math.abs(one.seconds - other.seconds) <= limit;
  }
  if (one instanceof About && other instanceof About) {
    return Math.abs(one.number - other.number) <= TIME_SECONDS * 1000;
  }
  if (typeof one === "string" && typeof other === "string") return pairs.fit(one, other);
  return one === other;
}

const shown = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));

/** The paths at which two masked answers differ (with the second one's values), and both answers as readable lines. */
export function compare(one, other, pairs) {
  const [left, right] = [leaves(one), leaves(other)];
  const paths = new Map();
  const lines = [];
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    if (left.has(path) && right.has(path) && isSame(left.get(path), right.get(path), pairs)) {
      lines.push(`      ${path}: ${shown(left.get(path))}`);
      continue;
    }
    paths.set(path, right.get(path));
    if (left.has(path)) lines.push(`  SDK ${path}: ${shown(left.get(path))}`);
    if (right.has(path)) lines.push(`  own ${path}: ${shown(right.get(path))}`);
  }
  return { paths, lines };
}

/** A masked answer as readable lines. */
export const display = (answer) => [...leaves(answer)].map(([path, value]) => `      ${path}: ${shown(value)}`);
