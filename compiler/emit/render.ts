/** Handlebars templates of the trainer's files, read from templates/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Handlebars from "handlebars";
import { packageRoot } from "./package-root";

interface Template {
  readonly text: HandlebarsTemplateDelegate;
  /** What it asks of the context itself. */
  readonly asks: readonly string[];
}

const templates = new Map<string, Template>();

/** Names that blocks of a template ask for outside of lists, whose entries have names of their own. */
class Asked extends Handlebars.Visitor {
  readonly names = new Set<string>();

  override BlockStatement(block: hbs.AST.BlockStatement): void {
    for (const param of block.params)
      if ("original" in param && typeof param.original === "string") this.names.add(param.original.replace(/\..*/, ""));
    if (!("original" in block.path && block.path.original === "each")) super.BlockStatement(block);
  }
}

function templateOf(name: string): Template {
  const source = readFileSync(join(packageRoot(), "templates", `${name}.hbs`), "utf8");
  const asked = new Asked();
  asked.accept(Handlebars.parse(source));
  const text = Handlebars.compile(source, { noEscape: true, strict: true, knownHelpersOnly: true });
  return { text, asks: [...asked.names] };
}

/**
 * Renders templates/<name>.hbs. A name that the context lacks is an error, not an empty string, and no condition that
 * does not hold either.
 */
export function render(name: string, context: object): string {
  const template = templates.get(name) ?? templateOf(name);
  templates.set(name, template);
  const missing = template.asks.filter((asked) => !(asked in context));
  if (missing.length > 0) throw new Error(`internal: templates/${name}.hbs is not given ${missing.join(", ")}`);
  return template.text(context);
}
