/** What `npm start` shows: a real redis, recorded without huge pages, under four settings. */
export const MAIN_JOB: readonly string[] = [
  ["compare", "examples/redis.pwt"],
  ["--generation", "linux-6.18", "--hardware", "zen4"],
  ["--settings", "thp=never; thp=madvise; thp=always; thp=always,max_ptes_none=0"],
  ["--measured", "examples/redis.measured.json"],
].flat();
