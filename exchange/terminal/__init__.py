"""The terminal trading client: `dongxi trade`.

`state` folds what the exchange says into what is shown, `paint` turns that into lines of coloured text;
neither knows Textual, asyncio or a clock. `link` connects the state to the exchange through
`exchange.client`; `app` and `panes` put the lines on a screen and keys to work.
"""
