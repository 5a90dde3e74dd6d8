/** Starting things in order and stopping them in reverse. */
import { NodeError } from "../primitives/errors.ts";

/** Something that runs between `start` and `stop`. `stop` releases everything, also after a failed start. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export type ServiceErrorReason = {
  readonly code: "STOP_TIMEOUT";
  readonly service: string;
  readonly timeoutMs: number;
};

/** A service that did not stop in time. */
export class ServiceError extends NodeError<ServiceErrorReason> {}

/** How long one service may take to stop before the others go on without it. */
export const STOP_TIMEOUT_MS = 5_000;

/** Services of a node: started in the given order, stopped in reverse, once. */
export class ServiceGroup {
  readonly #started: Service[] = [];
  #stopping: Promise<void> | undefined;

  /** Starts the services one after the other; when one fails, stops what ran and throws its error. */
  async start(services: readonly Service[]): Promise<void> {
    for (const service of services) {
      this.#started.push(service);
      try {
        await service.start();
      } catch (error) {
        await this.stop().catch((stopError: unknown) => {
          throw new AggregateError([error, stopError], `${service.name} did not start`);
        });
        throw error;
      }
    }
  }

  /** Stops everything that was started; every service gets its turn, then the errors are thrown as one. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const service of this.#started.toReversed()) {
      try {
        await withDeadline(service);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "services did not stop cleanly");
  }
}

async function withDeadline(service: Service): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const reason = { code: "STOP_TIMEOUT", service: service.name, timeoutMs: STOP_TIMEOUT_MS };
      reject(new ServiceError({ ...reason, code: "STOP_TIMEOUT" }));
    }, STOP_TIMEOUT_MS);
  });
  try {
    await Promise.race([service.stop(), late]);
  } finally {
    clearTimeout(timer);
  }
}
