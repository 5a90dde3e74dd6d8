/** Typed events. They announce facts; nobody is asked to do work by an event. */

/** Listeners are synchronous: an async one would lose its errors, and does not compile. */
export type Listener<T> = (payload: T) => undefined;

/** Ends a subscription; calling it twice is harmless. */
export type Unsubscribe = () => void;

/**
 * Events of one owner, `Events` maps names to payloads. A listener that throws neither stops the other listeners nor the
 * emitter: its error becomes an uncaught exception of its own turn.
 */
export class Emitter<Events extends object> {
  readonly #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): Unsubscribe {
    const listeners: Set<Listener<Events[Name]>> = this.#listeners[name] ?? new Set();
    this.#listeners[name] = listeners;
    // a fresh function for each subscription, so that one listener may subscribe twice
    const own: Listener<Events[Name]> = (payload) => listener(payload);
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const listeners = this.#listeners[name];
    if (listeners === undefined || listeners.size === 0) return;
    for (const listener of [...listeners]) {
      try {
        listener(payload);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Number of subscriptions to `name`. */
  count(name: keyof Events): number {
    return this.#listeners[name]?.size ?? 0;
  }
}
