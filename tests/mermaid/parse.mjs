// Reads a JSON list of charts from standard input, has mermaid read each of them as it does in a page, and prints a JSON list
// of what it understood: the kind of the diagram, its sections and its tasks with their dates; or the error.

import { text } from 'node:stream/consumers'
import mermaid from 'mermaid'

mermaid.initialize({ startOnLoad: false })
const answers = []
for (const chart of JSON.parse(await text(process.stdin))) {
  try {
    const { diagramType } = await mermaid.parse(chart)
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(chart)
    const tasks = db.getTasks().map((task) => ({
      name: task.task,
      section: task.section,
      start: task.startTime.getTime(),
      end: task.endTime.getTime(),
      critical: Boolean(task.crit),
      milestone: Boolean(task.milestone),
    }))
    answers.push({ kind: diagramType, sections: db.getSections(), tasks })
  } catch (error) {
    answers.push({ error: String(error) })
  }
}
process.stdout.write(JSON.stringify(answers))
