/**
 * Work that is mostly done at once and sometimes has to wait. A promise, with all who await it, costs as much as a short
 * call of a contract: such work gives its value itself unless something is waited for. What it throws it may throw at
 * once, too: await it, or go on with the functions here.
 */

/** Goes on with `value`: at once where it is there. */
export function andThen<T, R>(
  value: T | Promise<T>,
  next: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What `work` gives; `failed` throws in the place of what it throws, at once or later. */
export function rescue<T>(
  work: () => T | Promise<T>,
  failed: (error: unknown) => never,
): T | Promise<T> {
  try {
    const value = work();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}
