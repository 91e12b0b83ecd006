/**
 * torchrun on one host. It starts the processes and joins them for PyTorch, and no MPI can meet through what it tells them.
 * So its first process starts the ranks through mpirun, as `node train.js` alone does, and the others have nothing to do: to
 * torchrun a process that ends with 0 is one that is done.
 */
import type { Launch } from "../launch";
import type { Variables } from "../launchers/variables";

/** Whether the first of these processes can start all ranks: they are on its host. */
export const isTorchrunOnOneHost = ({ launcher, size, localSize, wireUp }: Launch): boolean =>
  launcher === "torchrun" && size > 1 && localSize === size && wireUp === null;

const ofTorchrun = /^(TORCHELASTIC_.*|(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_ADDR|MASTER_PORT)$/;

/** Without what torchrun set, by which the ranks of mpirun would take themselves for its own. */
export const withoutTorchrun = (variables: Variables): Variables =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !ofTorchrun.test(name)));
