import { reportFailure } from "./failure.ts";
import { endWithLauncher } from "./launcher.ts";
import { buildProgram } from "./program.ts";

endWithLauncher();
try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error);
}
