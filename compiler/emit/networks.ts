/** The networks of a model as text: their interfaces in step.ts, and parameters.ts. */
import type { Dim } from "../ir/number";
import { blockLayers } from "../model/layers";
import { blockType, type Layer, type NetworkLayout } from "../model/networks";
import type { InitPlan, Plan } from "../plan/plan";
import type { Trainer } from "../step/step";
import { listed } from "./layout";
import { literal } from "./names";
import type { Numbers } from "./numbers";
import { render } from "./render";

/** What the template of step.ts declares of a network. */
export interface NetworkFields {
  readonly name: string;
  readonly type: string;
  /** Null where it has none. */
  readonly block: { readonly type: string; readonly fields: readonly string[] } | null;
  readonly fields: readonly string[];
}

export const networkFields = (networks: readonly NetworkLayout[], numbers: Numbers): readonly NetworkFields[] =>
  networks.map((network) => ({
    name: network.name,
    type: network.type,
    block: network.depth === 0 ? null : { type: blockType(network), fields: blockFields(network) },
    fields: network.layers.map((layer) => layerField(layer, network, numbers)),
  }));

const linearType = (inputs: Dim, outputs: Dim, role: string): string =>
  `Linear<${inputs.name}, ${outputs.name}, ${literal(role)}>`;

const normType = (width: Dim, role: string): string => `Norm<${width.name}, ${literal(role)}>`;

function layerField(layer: Layer, network: NetworkLayout, numbers: Numbers): string {
  const field = (type: string): string => `readonly ${layer.name}: ${type};`;
  switch (layer.kind) {
    case "linear":
      return field(linearType(layer.inputs, layer.outputs, layer.role));
    case "norm":
      return field(normType(layer.width, layer.role));
    case "token":
      return field(`Weight<[${layer.width.name}], ${literal(layer.role)}>`);
    case "blocks":
      return `${field(`readonly ${blockType(network)}[]`)} // ${numbers.remark(network.depth)}`;
  }
}

function blockFields({ dims: { width, qkv, hidden } }: NetworkLayout): readonly string[] {
  const linear = (at: keyof typeof blockLayers, from: Dim, to: Dim): string => {
    const [, name = at] = at.split(".");
    return `  readonly ${name}: ${linearType(from, to, blockLayers[at])};`;
  };
  const norm = (at: "norm1" | "norm2"): string => `readonly ${at}: ${normType(width, blockLayers[at])};`;
  return [
    norm("norm1"),
    "readonly attn: {",
    linear("attn.qkv", width, qkv),
    linear("attn.proj", width, width),
    "};",
    norm("norm2"),
    "readonly mlp: {",
    linear("mlp.fc1", width, hidden),
    linear("mlp.fc2", hidden, width),
    "};",
  ];
}

interface Listed {
  readonly code: string;
  /** The helper of runtime/model/parameters.ts, and sizes of step.ts. */
  readonly helper: string;
  readonly sizes: readonly Dim[];
}

function layerParameters(layer: Layer, { name, dims, depth }: NetworkLayout, init: InitPlan, patch: number): Listed {
  const path = literal(`${name}.${layer.name}`);
  const official = literal(layer.official);
  const { std } = init;
  switch (layer.kind) {
    case "linear": {
      const { inputs, outputs, isOfPatches = false } = layer;
      const fields = [`path: ${path}`, `official: ${official}`, `inputs: ${inputs.name}`, `outputs: ${outputs.name}`];
      const code = isOfPatches
        ? listed("...linear({ ", [...fields, `std: ${init.patchStd}`, `kernel: [3, ${patch}, ${patch}]`], " }),", "  ")
        : `...linear({ ${[...fields, `std: ${std}`].join(", ")} }),`;
      return { helper: "linear", sizes: [inputs, outputs], code };
    }
    case "norm":
      return { helper: "norm", sizes: [layer.width], code: `...norm(${path}, ${official}, ${layer.width.name}),` };
    case "token": {
      const code = `...maskToken(${path}, ${official}, ${layer.width.name}, ${std}),`;
      return { helper: "maskToken", sizes: [layer.width], code };
    }
    case "blocks": {
      const { width, hidden } = dims;
      const each = (text: string): string => `\`${text}.\${i}\``;
      const code = [
        `...blocks(${depth}, (i) => ({`,
        `    path: ${each(`${name}.${layer.name}`)},`,
        `    official: ${each(layer.official)},`,
        `    width: ${width.name},`,
        `    hidden: ${hidden.name},`,
        `    std: ${std},`,
        `    lastStd: ${init.depthRescale ? `${std} / Math.sqrt(2 * (i + 1))` : std},`,
        "  })),",
      ].join("\n");
      return { helper: "blocks", sizes: [width, hidden], code };
    }
  }
}

export function emitParameters({ plan, model }: Pick<Trainer, "model"> & { readonly plan: Plan }): string {
  const parametersOf = (networks: readonly NetworkLayout[]): readonly Listed[] =>
    networks.flatMap((network) =>
      network.layers.map((layer) => layerParameters(layer, network, plan.init, plan.model.patch)),
    );
  const [trained, frozen] = [parametersOf(model.networks), parametersOf(model.frozen ?? [])];
  const all = [...trained, ...frozen];
  const sorted = (names: readonly string[]): string => [...new Set(names)].sort().join(", ");
  return render("parameters.ts", {
    helpers: sorted(all.map(({ helper }) => helper)),
    sizes: sorted(all.flatMap(({ sizes }) => sizes.map(({ name }) => name))),
    layers: trained.map(({ code }) => code),
    frozen: frozen.map(({ code }) => code),
  });
}
