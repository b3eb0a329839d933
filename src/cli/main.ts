import { reportFailure } from "./failure.ts";
import { endWithLauncher } from "./launcher.ts";
import { buildProgram } from "./program.ts";

// Whoever reads what a command says may have read enough, and the command goes on to its end.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});
endWithLauncher();
try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error);
}
