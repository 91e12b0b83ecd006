/** The TypeScript types of a spec, from the schema: as a person writes it, and with every default filled in. */
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { branchOf, objectivesOf } from "../compiler/spec/by-objective";
import { type SchemaNode, schemaRoot } from "../compiler/spec/schema";

/** Input: as a person writes it. Spec: as the compiler reads it. */
type Side = "Input" | "Spec";

/** Texts of the generated type files, before formatting. */
export async function specTypes(side: Side, root: SchemaNode = schemaRoot): Promise<string> {
  const banner = "// Generated from schema/experiment.schema.json by `npm run generate`; edit the schema instead.\n\n";
  const [only, ...others] = objectivesOf(root);
  if (only === undefined || others.length === 0) return banner + (await typesOf(side, root, rootNames[side]));
  const names = [only, ...others].map((objective) => ({ objective, name: `${capital(objective)}${rootNames[side]}` }));
  const branches = await Promise.all(
    names.map(async ({ objective, name }) => ({
      objective,
      blocks: blocksOf(await typesOf(side, branchOf(root, objective), name)),
    })),
  );
  const blocks = new Map<string, string>();
  for (const { objective, blocks: own } of branches) {
    for (const [declared, block] of renamed(own, blocks, capital(objective))) blocks.set(declared, block);
  }
  const union = `/** An experiment of any objective. */\nexport type ${rootNames[side]} = ${names.map(({ name }) => name).join(" | ")};`;
  return `${banner}${[union, ...blocks.values()].join("\n")}\n`;
}

type Blocks = ReadonlyMap<string, string>;

const blocksOf = (text: string): Blocks =>
  new Map([...text.matchAll(interfaces)].map(([block, declared = ""]) => [declared, block]));

/** Groups that are other than those of an earlier objective get its name, and so do those that hold one of them. */
function renamed(own: Blocks, earlier: Blocks, objective: string): Blocks {
  const differs = (declared: string, block: string): boolean =>
    earlier.has(declared) && earlier.get(declared) !== block;
  const found = [...own].find(([declared, block]) => differs(declared, block));
  if (found === undefined) return own;
  const [name] = found;
  const word = new RegExp(`\\b${name}\\b`, "g");
  const next = new Map(
    [...own].map(([declared, block]) => [
      declared === name ? objective + name : declared,
      block.replace(word, objective + name),
    ]),
  );
  return renamed(next, earlier, objective);
}

/** An interface with its comment; every group has a title, so none has another one within. */
const interfaces = /(?:\/\*\*(?:(?!\*\/).)*\*\/\s*)?export interface (\w+) \{.*?\n\}/gs;

const rootNames: { readonly [S in Side]: string } = { Input: "SpecInput", Spec: "Spec" };

/** As the generator of types writes names: `Data2Vec`. */
const capital = (name: string): string =>
  name.charAt(0).toUpperCase() + name.slice(1).replace(/(?<=\d)[a-z]/g, (letter) => letter.toUpperCase());

async function typesOf(side: Side, root: SchemaNode, name: string): Promise<string> {
  const text = await compile({ ...plain(root, side), title: name } as JSONSchema, name, {
    additionalProperties: false,
    bannerComment: "",
    format: false,
  });
  return oneLineComments(readonlyMembers(text));
}

/**
 * The schema as one side sees it. Input: as it stands. Spec: what has a default is required, since reading fills it,
 * and what only a file can say is gone.
 */
function plain(node: SchemaNode, side: Side): Record<string, unknown> {
  const { properties, oneOf, items, title, discriminator, default: _default, minLength, maxLength, ...rest } = node;
  const out: Record<string, unknown> = { ...rest };
  if (title !== undefined) out.title = `${title}${side}`;
  if (node.description !== undefined) out.description = [node.description, facts(node, side)].join(" ").trim();
  if (items !== undefined) out.items = plain(items, side);
  if (oneOf !== undefined) {
    out.oneOf = oneOf.map((branch) => plain(branch, side));
    // The branches say all there is to say of the fields.
    delete out.required;
    delete out.type;
  }
  if (properties !== undefined) {
    const kept = Object.entries(properties).filter(([, field]) => side === "Input" || field["x-input-only"] !== true);
    out.properties = Object.fromEntries(kept.map(([key, field]) => [key, plain(field, side)]));
    if (side === "Spec") out.required = kept.map(([key]) => key);
  }
  return out;
}

/** The compiler of types writes mutable members; a spec is data that nobody changes. */
function readonlyMembers(text: string): string {
  return text
    .replace(/^(\s*)(\$?\w+\??: )/gm, "$1readonly $2")
    .replace(/: \[(number(?:, number)+)\]/g, ": readonly [$1]");
}

/** Unit and, where it may be left out, the default: `[pixels; default 224]`. */
function facts(node: SchemaNode, side: Side): string {
  const unit = node["x-unit"];
  if (unit === undefined || unit === "choice" || unit === "true or false") return "";
  const fallback = node["x-default"] ?? (node.default === undefined ? undefined : JSON.stringify(node.default));
  return side === "Spec" || fallback === undefined ? `[${unit}]` : `[${unit}; default ${fallback}]`;
}

function oneLineComments(text: string): string {
  return text.replace(/\/\*\*\n\s*\* (.*)\n(?:[ *]*\n(?:\s*\* @.*\n)+)?\s*\*\//g, "/** $1 */");
}
