import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { annotations, type SchemaNode, schemaDocument, schemaRoot } from "../../../compiler/spec/schema";

interface Field {
  readonly path: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** Every field that holds a value, not those that hold fields. */
function fieldsOf(holder: SchemaNode, path: string): Field[] {
  return Object.entries(holder.properties ?? {}).flatMap(([key, node]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (node.properties !== undefined) return fieldsOf(node, here);
    if (node.discriminator !== undefined) return (node.oneOf ?? []).flatMap((branch) => fieldsOf(branch, here));
    return [{ path: here, node, required: holder.required?.includes(key) ?? false }];
  });
}

const fields = fieldsOf(schemaRoot, "");
const ajv = new Ajv2020({ allErrors: true, discriminator: true, allowUnionTypes: true, strict: false });
for (const keyword of annotations) ajv.addKeyword(keyword);

test("it is JSON Schema 2020-12", () => {
  expect(schemaDocument.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
  expect(ajv.validateSchema(schemaDocument), ajv.errorsText()).toBe(true);
});

describe("every field", () => {
  test("there are as many as there should be", () => {
    expect(fields.length).toBeGreaterThan(60);
  });

  test.each(fields.map(({ path, ...field }) => [path, field] as const))("%s", (_, { node, required }) => {
    expect(node.description, "a sentence").toMatch(/^[`A-Z0-9].*\.$/s);
    expect(node["x-unit"], "a unit").toEqual(expect.any(String));
    const defaults = [required, node.default !== undefined, node["x-default"] !== undefined].filter(Boolean);
    expect(defaults, "one of: required, a default, a default that other fields decide").toHaveLength(1);
    if (node.default !== undefined)
      expect(ajv.validate({ ...node, $defs: {} }, node.default), ajv.errorsText()).toBe(true);
    expect(isBounded(node), "a range").toBe(true);
  });
});

/** Whether the field says what it takes: choices, a range for every number, a length or a pattern for every text. */
function isBounded(node: SchemaNode): boolean {
  if (node.oneOf !== undefined) return node.oneOf.every(isBounded);
  if (node.enum !== undefined || node.const !== undefined || node["x-input-only"] === true) return true;
  const types = [node.type ?? []].flat();
  return types.every((type) => {
    if (type === "boolean" || type === "null") return true;
    if (type === "array")
      return node.minItems !== undefined && node.maxItems !== undefined && isBounded(node.items ?? {});
    if (type === "string") return node.pattern !== undefined || node.maxLength !== undefined;
    const low = node.minimum ?? node.exclusiveMinimum;
    const high = node.maximum ?? node.exclusiveMaximum;
    return low !== undefined && high !== undefined;
  });
}
