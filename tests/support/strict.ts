/** Returns the object with a getter that throws for every property that it does not have. */
export function strict<Known extends object>(known: Known, missing: (name: string) => Error): Known {
  return new Proxy(known, {
    get: (target, name) => {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      throw missing(String(name));
    },
  });
}
