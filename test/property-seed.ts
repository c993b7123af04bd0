/**
 * Every property test draws the same cases in every run, so that a change is what made it fail.
 * `npm run properties` draws others: it sets PROPERTY_SEED to one number after another.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1) });
