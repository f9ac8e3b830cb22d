export * from "../shared/callsign.ts";
