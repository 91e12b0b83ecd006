/**
 * The `shapes` data: scenes and labels by (seed, split, number). Nothing is stored; any image can be made at any time,
 * in any thread. The splits never share a scene, because the split is part of the name of its random stream.
 *
 * How hard it is, as what a linear (ridge) classifier gets from 16×16 pixels, % correct on 1024 scenes after 4096:
 *   difficulty     0                     ½                     1
 *   shape          53 of 25 by chance    35 of 25              31 of 25
 *   count          one class             31 of 25              21 of 17
 *   distance       93 of 25              42 of 25              39 of 25
 */
import type { ShapesData } from "../../experiment";
import { randomAt } from "../../random/random";
import { drawScene, mostObjects } from "./draw";
import { distanceEdges, type Scene, shapeKinds } from "./scene";

export type Split = "train" | "validation" | "test";

export function sceneAt(data: ShapesData, split: Split, index: number): Scene {
  const random = randomAt({ seed: data.seed, purpose: `shapes.${split}`, sample: index });
  return drawScene(() => random.uniform(), data.difficulty);
}

export function imagesOf(data: ShapesData, split: Split): number {
  return { train: data.trainImages, validation: data.validationImages, test: data.testImages }[split];
}

export interface ShapesTask {
  readonly name: "shape" | "count" | "distance";
  readonly classes: readonly string[];
  /** The number of the class. */
  readonly labelOf: (scene: Scene) => number;
}

/**
 * What can be asked about a scene. Classes are equally likely in each task.
 *   shape     of the dominant object, which is the nearest
 *   count     of objects, itself included
 *   distance  from the camera to the centre of the nearest object: four spans of one unit, from 4.6 to 8.6
 */
export function shapesTasks(data: Pick<ShapesData, "difficulty">): readonly ShapesTask[] {
  const counts = Array.from({ length: mostObjects(data.difficulty) }, (_, i) => String(i + 1));
  const spans = distanceEdges.slice(1).map((far, i) => `${distanceEdges[i]}–${far}`);
  return [
    { name: "shape", classes: shapeKinds, labelOf: (scene) => shapeKinds.indexOf(dominant(scene).kind) },
    // With one class there is nothing to tell apart.
    ...(counts.length > 1
      ? [{ name: "count", classes: counts, labelOf: (scene: Scene) => scene.objects.length - 1 } as const]
      : []),
    {
      name: "distance",
      classes: spans,
      labelOf: ({ nearestDistance }) => distanceEdges.slice(1, -1).filter((edge) => nearestDistance >= edge).length,
    },
  ];
}

function dominant(scene: Scene): Scene["objects"][number] {
  const object = scene.objects[0];
  if (object === undefined) throw new Error("internal: a scene without objects");
  return object;
}
