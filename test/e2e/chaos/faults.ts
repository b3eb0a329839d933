import { DISK_FAULTS } from "./disk-faults.ts";
import { DRAIN_FAULTS } from "./drain-faults.ts";
import type { Fault } from "./fault.ts";
import { FREEZE_FAULTS } from "./freeze-faults.ts";
import { IMAGE_FAULTS } from "./image-faults.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";
import { OBJECT_FAULTS } from "./object-faults.ts";
import { PART_FAULTS } from "./part-faults.ts";
import { POD_FAULTS } from "./pod-faults.ts";
import { SCALE_FAULTS } from "./scale-faults.ts";

/** Every fault that there is. */
export const FAULTS: readonly Fault[] = [
  ...POD_FAULTS, ...DRAIN_FAULTS, ...SCALE_FAULTS, ...NETWORK_FAULTS, ...FREEZE_FAULTS, ...DISK_FAULTS, ...PART_FAULTS, ...OBJECT_FAULTS, ...IMAGE_FAULTS,
];
