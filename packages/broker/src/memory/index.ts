export { MemoryBudget, type MemoryBudgetOptions, MemoryLevel } from "./memory-budget.ts";
