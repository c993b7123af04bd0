/**
 * State is columns: a table is a set of typed arrays of one length. Zeroed typed arrays cost nothing until
 * they are touched, because the operating system backs them lazily; that is what lets the same code carry a
 * machine of 16 frames and one of 1 TiB.
 */

type ColumnArray =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float64ArrayConstructor;

/** The declaration of a table: column name → array type. The declaration is the documentation. */
export type Columns = Record<string, ColumnArray>;

/** The columns themselves. `frames.mapCount[pfn] = 1`: no getter, no row object, no offset arithmetic. */
export type Table<C extends Columns> = { readonly [K in keyof C]: InstanceType<C[K]> } & {
  readonly rows: number;
};

/**
 * Makes a zeroed table with that many rows. A column whose zero is not its empty value is filled by its
 * owner.
 */
export function makeTable<C extends Columns>(columns: C, rows: number): Table<C> {
  const table: Record<string, unknown> = { rows };
  for (const name of Object.keys(columns)) table[name] = new columns[name]!(rows);
  return table as Table<C>;
}
