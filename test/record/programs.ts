/**
 * Programs that `npm run record-check` records and measures: of the distribution, none of them among the
 * traces of the project. Their inputs are made here, the same on every machine.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { below, makePrng } from "../../src/lib/prng.ts";

export interface CheckedProgram {
  readonly name: string;
  readonly what: string;
  /** Program and arguments; FOLDER stands for where the inputs are. */
  readonly command: readonly string[];
  /** What must be installed. */
  readonly needs: readonly string[];
  /** Two runs of it do the same to memory: the bounds are checked. */
  readonly deterministic: boolean;
  readonly prepare?: (folder: string) => void;
}

const POSTGRES = "/usr/lib/postgresql/15/bin";
const AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];

export const PROGRAMS: readonly CheckedProgram[] = [
  {
    name: "clang",
    what: "compiler: 300 functions at -O1",
    command: ["clang", "-O1", "-c", "FOLDER/functions.c", "-o", "FOLDER/functions.o"],
    needs: ["clang"],
    deterministic: true,
  },
  {
    name: "postgres",
    what: "database, single process: 100,000 rows, an index, a join",
    command: ["sh", "FOLDER/postgres.sh"],
    needs: [`${POSTGRES}/postgres`, "setpriv"],
    deterministic: true,
    prepare: preparePostgres,
  },
  {
    name: "perl",
    what: "interpreter: a hash of 400,000 arrays, a third deleted, a string of 60 MB",
    command: ["perl", "FOLDER/hash.pl"],
    needs: ["perl"],
    // Perl seeds its hashes anew in each run unless told.
    deterministic: true,
  },
  {
    name: "lua",
    what: "interpreter: trees, 300,000 strings and their concatenation",
    command: ["lua5.4", "FOLDER/trees.lua"],
    needs: ["lua5.4"],
    deterministic: true,
  },
  {
    name: "gawk",
    what: "interpreter: counts 200,000 distinct words",
    command: ["gawk", "-f", "FOLDER/count.awk", "FOLDER/words.txt"],
    needs: ["gawk"],
    deterministic: true,
  },
  {
    name: "xz",
    what: "compressor: 4 MB with a window of 64 MiB",
    command: ["xz", "-9", "-T1", "-k", "-c", "FOLDER/words.txt"],
    needs: ["xz"],
    deterministic: true,
  },
  {
    name: "zstd",
    what: "compressor: 4 MB with long distances",
    // Left to itself it reads and writes by threads, and takes a buffer more or less as they come to run.
    command: ["zstd", "--no-asyncio", "-9", "--long=27", "-T1", "-q", "-c", "FOLDER/words.txt"],
    needs: ["zstd"],
    deterministic: true,
  },
  {
    name: "pigz",
    what: "compressor with threads: 12 MB by two",
    command: ["pigz", "-p", "2", "-k", "-c", "FOLDER/lines.txt"],
    needs: ["pigz"],
    deterministic: false,
  },
  {
    name: "sort",
    what: "sort with two threads: 12 MB",
    command: ["sort", "--parallel=2", "-S", "100M", "FOLDER/lines.txt"],
    needs: ["sort"],
    deterministic: true,
  },
  {
    name: "git",
    what: "history with diffs: maps its packs, starts no process",
    command: ["git", "-C", "FOLDER/repository", "log", "--stat", "--oneline"],
    needs: ["git"],
    deterministic: true,
    prepare: prepareRepository,
  },
  {
    name: "nginx",
    what: "server that forks: master and two workers, 20 compressed answers, and curl that asks for them",
    command: ["sh", "FOLDER/nginx.sh"],
    needs: ["nginx", "curl"],
    deterministic: false,
    prepare: prepareNginx,
  },
  {
    name: "make",
    what: "a tree of processes: 40 short shells from make",
    command: ["make", "-s", "-f", "FOLDER/Makefile"],
    needs: ["make"],
    deterministic: true,
  },
];

/** Writes all inputs. */
export function prepareInputs(folder: string): void {
  const prng = makePrng(7);
  const word = (): string => below(prng, 2 ** 30).toString(36);
  let words = "";
  for (let i = 0; i < 200_000; i++)
    words += `${word()} ${below(prng, 1000)} ${"alpha beta gamma delta".split(" ")[i % 4]}\n`;
  writeFileSync(join(folder, "words.txt"), words);
  writeFileSync(join(folder, "lines.txt"), words + words + words);
  writeFileSync(join(folder, "functions.c"), functions());
  writeFileSync(join(folder, "hash.pl"), PERL);
  writeFileSync(join(folder, "trees.lua"), LUA);
  writeFileSync(join(folder, "count.awk"), "{ count[$1]++ } END { print length(count) }\n");
  const targets = Array.from({ length: 40 }, (_, i) => `t${i}`);
  const rules = targets.map((name, i) => `${name}: ${targets[i + 1] ?? ""}\n\t@: $$(echo ${i})\n`);
  writeFileSync(join(folder, "Makefile"), `all: t0\n${rules.join("")}`);
}

const PERL = `
my %h; for my $i (1..400000) { $h{"key$i"} = [$i, "v" . ($i * 7)]; }
my $s = 0; for (1..400000) { $s += $h{"key$_"}[0]; delete $h{"key$_"} if $_ % 3 == 0; }
my $b = "x" x 60_000_000; substr($b, 5, 1) = "y"; print "$s\\n";
`;

const LUA = `
local function tree(d) if d == 0 then return {} end return {tree(d - 1), tree(d - 1)} end
local keep = tree(18)
for i = 1, 6 do local x = tree(16) end
local s = {}
for i = 1, 300000 do s[#s + 1] = tostring(i) .. ":" .. i * 3 end
print(#table.concat(s, ","))
`;

function functions(): string {
  let text = "";
  for (let i = 0; i < 300; i++) {
    text += `struct s${i} { int a, b; double d; };\nint f${i}(int x, struct s${i} *p) {\n`;
    text += `  int s = 0;\n  for (int i = 0; i < x; i++) switch ((i * ${i + 3}) % 7) {\n`;
    text += "    case 0: s += p->a; break;\n    case 1: s ^= p->b; break;\n";
    text += "    default: s += (int)(p->d * i);\n  }\n";
    text += `  return s${i > 0 ? ` + f${i - 1}(x - 1, (void *)p)` : ""};\n}\n`;
  }
  return text;
}

function must(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

function preparePostgres(folder: string): void {
  const data = join(folder, "postgres");
  mkdirSync(data);
  must("chmod", ["a+rx", folder]);
  must("chown", ["postgres:", data]);
  must("setpriv", [...AS_POSTGRES.slice(1), `${POSTGRES}/initdb`, "-D", data, "-A", "trust"]);
  const sql = [
    "create temporary table t as select g, md5(g::text) m from generate_series(1,100000) g",
    "create index on t (m)",
    "select count(*) from t a join t b on a.m=b.m where a.g % 3 = 0",
    "select sum(length(m)) from (select m from t order by m) x",
  ];
  writeFileSync(join(folder, "postgres.sql"), sql.join("\n") + "\n");
  const settings = "-c huge_pages=off -c shared_buffers=32MB";
  writeFileSync(
    join(folder, "postgres.sh"),
    `exec ${AS_POSTGRES.join(" ")} ${POSTGRES}/postgres --single -D ${data} ${settings} postgres ` +
      `< ${folder}/postgres.sql\n`,
  );
}

function prepareRepository(folder: string): void {
  const at = join(folder, "repository");
  const git = (...args: string[]): void =>
    must("git", ["-C", at, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  mkdirSync(at);
  git("init", "-q");
  for (let i = 0; i < 60; i++) {
    for (let f = 0; f < 20; f++) writeFileSync(join(at, `f${f}`), `${i} ${f}\n`.repeat(20 + ((i * f) % 50)));
    git("add", "-A");
    git("commit", "-q", "-m", `change ${i}`);
  }
  git("gc", "-q");
}

function prepareNginx(folder: string): void {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/nginx-${name};`,
  );
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 2; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; user root;
events { worker_connections 64; }
http { access_log off; gzip on; gzip_types text/plain; ${temporary.join(" ")}
  server { listen 127.0.0.1:17788; root ${folder}; } }
`,
  );
  writeFileSync(
    join(folder, "nginx.sh"),
    `nginx -c ${folder}/nginx.conf & server=$!
while [ ! -s ${folder}/nginx.pid ]; do sleep 0.05; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  curl -s --compressed http://127.0.0.1:17788/functions.c > /dev/null
done
kill -QUIT $server
wait $server
`,
  );
}
