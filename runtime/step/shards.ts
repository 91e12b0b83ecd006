/**
 * The part of a tensor that one of several devices keeps: of its numbers in C order, device r of N has those from r·L on, L
 * of them, where L is the least length that covers the tensor. Behind the last number lie zeros, in the shards of the last
 * devices. It is the part that a communicator calls a rank's block (runtime/ranks/communicator.ts).
 */
import type { Experiment } from "../experiment";

/** L: the numbers of a shard. */
export const shardLength = (elements: number, devices: number): number => Math.ceil(elements / devices);

/** Devices over which an experiment divides the moments of AdamW; 1 where each keeps all of them. */
export function shardsOf({ hardware }: Pick<Experiment, "hardware">): number {
  return hardware.shardOptimizer ? hardware.gpus : 1;
}
