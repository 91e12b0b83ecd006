/** Of an experiment and of flags that ask for no program that shows runs. */
import type { LoggerSettings } from "../../runtime/loggers/logger";

export const noLoggerSettings: LoggerSettings = { tensorboard: false, mlflow: null, trackio: null };
