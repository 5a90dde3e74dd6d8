/** How deep and how large a query may be, before anything of it runs. */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";

export const queryLimits = {
  /** Tokens of the text. */
  tokens: 5_000,
  depth: 12,
  /** Fields after fragments are written out; introspection not counted. */
  fields: 1_000,
} as const;

/** What is wrong with the size of a valid document; undefined: nothing. */
export function sizeProblem(document: DocumentNode): GraphQLError | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const measured = new Measure(fragments);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const problem = measured.problemOf(definition.selectionSet, 1);
    if (problem !== undefined) return new GraphQLError(problem);
  }
  return undefined;
}

/** Counts fields over all operations; fragments form no cycles, validation has seen to that. */
class Measure {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #fields = 0;

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments;
  }

  problemOf({ selections }: SelectionSetNode, depth: number): string | undefined {
    if (depth > queryLimits.depth) return `query is deeper than ${queryLimits.depth} levels`;
    for (const selection of selections) {
      const problem = this.#problemOfOne(selection, depth);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #problemOfOne(selection: SelectionNode, depth: number): string | undefined {
    if (++this.#fields > queryLimits.fields) {
      return `query has more than ${queryLimits.fields} fields`;
    }
    switch (selection.kind) {
      case Kind.FIELD: {
        const { name, selectionSet } = selection;
        if (selectionSet === undefined || name.value.startsWith("__")) return undefined;
        return this.problemOf(selectionSet, depth + 1);
      }
      case Kind.INLINE_FRAGMENT:
        return this.problemOf(selection.selectionSet, depth);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = this.#fragments.get(selection.name.value);
        return fragment && this.problemOf(fragment.selectionSet, depth);
      }
    }
  }
}
