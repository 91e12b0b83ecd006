/** Handlebars templates of the trainer's files, read from templates/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Handlebars from "handlebars";
import { packageRoot } from "./package-root";

const compiled = new Map<string, HandlebarsTemplateDelegate>();

/** Renders templates/<name>.hbs. A name that the context lacks is an error, not an empty string. */
export function render(name: string, context: object): string {
  let template = compiled.get(name);
  if (template === undefined) {
    const text = readFileSync(join(packageRoot(), "templates", `${name}.hbs`), "utf8");
    template = Handlebars.compile(text, { noEscape: true, strict: true, knownHelpersOnly: true });
    compiled.set(name, template);
  }
  return template(context);
}
